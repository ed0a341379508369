-- $1 machine, $2 what, $3 open, $4 source or null: is it a probe that must answer? What was there already stays.
WITH added AS (
    INSERT INTO fleetwall.probe (machine, what, open, source) VALUES ($1, $2, $3::boolean, $4)
    ON CONFLICT (machine, what, coalesce(source, '')) DO NOTHING RETURNING open)
SELECT open FROM added
UNION ALL
SELECT open FROM fleetwall.probe WHERE machine = $1 AND what = $2 AND coalesce(source, '') = coalesce($4, '')
