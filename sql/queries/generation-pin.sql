-- $1 number, $2 why, $3 the digest that it has on the disk in hexadecimal digits. Pinned so already: nothing changes. One row: is it known with that digest,
-- and the last number that is known, or null.
WITH known AS (SELECT number FROM fleetwall.generation WHERE number = $1::bigint AND digest = decode($3, 'hex')),
     pinned AS (INSERT INTO fleetwall.generation_pin (generation, holder) SELECT number, $2 FROM known ON CONFLICT DO NOTHING)
SELECT EXISTS (SELECT FROM known), (SELECT max(number) FROM fleetwall.generation)
