-- The clock of the latest generation, in seconds since 1970; NULL when there is none.
SELECT floor(extract(epoch FROM max(clock)))::bigint FROM fleetwall.generation
