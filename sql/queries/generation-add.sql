-- $1 number, $2 digest in hexadecimal digits, $3 clock in seconds since 1970, $4 machines.
INSERT INTO fleetwall.generation (number, digest, clock, machines)
VALUES ($1::bigint, decode($2, 'hex'), to_timestamp($3::bigint), $4::bigint)
