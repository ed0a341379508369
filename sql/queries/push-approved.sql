-- $1 a generation: one row if a person approved of it.
SELECT generation FROM fleetwall.generation_approval WHERE generation = $1::bigint
