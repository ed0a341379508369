-- $1 machine, $2 what, $3 open, $4 source or null: one row if there was such a probe.
DELETE FROM fleetwall.probe WHERE machine = $1 AND what = $2 AND open = $3::boolean AND coalesce(source, '') = coalesce($4, '')
RETURNING machine
