-- $1 a generation: a person approves of it. One row if there is such a generation.
WITH known AS (SELECT number FROM fleetwall.generation WHERE number = $1::bigint),
approved AS (INSERT INTO fleetwall.generation_approval (generation) SELECT number FROM known ON CONFLICT DO NOTHING)
SELECT number FROM known
