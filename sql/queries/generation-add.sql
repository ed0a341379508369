-- $1 number, $2 digest in hexadecimal digits, $3 clock in seconds since 1970, $4 machines, $5 the snapshot it was made from, $6 the generation that it
-- publishes again, or null.
INSERT INTO fleetwall.generation (number, digest, clock, machines, snapshot, of)
VALUES ($1::bigint, decode($2, 'hex'), to_timestamp($3::bigint), $4::bigint, $5::pg_snapshot, $6::bigint)
