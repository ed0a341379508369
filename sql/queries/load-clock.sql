-- The clock of the snapshot, in seconds since 1970.
SELECT floor(extract(epoch FROM now()))::bigint
