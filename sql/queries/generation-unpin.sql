-- $1 number, $2 why: one row if it was pinned so.
DELETE FROM fleetwall.generation_pin WHERE generation = $1::bigint AND holder = $2
RETURNING generation
