-- $1 number, $2 why. Pinned already: nothing changes. One that is not known breaks the foreign key.
INSERT INTO fleetwall.generation_pin (generation, holder) VALUES ($1::bigint, $2)
ON CONFLICT DO NOTHING
