-- $1 generation, $2 waves, $3 max_failures, $4 items, $5 is it for going back? A new run that is not running yet; its number.
INSERT INTO fleetwall.push_run (generation, waves, max_failures, items, rollback, state, ended, reason)
SELECT $1::bigint, $2::integer, $3::integer, $4::bigint, $5::boolean, 'stopped', now(), 'it is being made'
RETURNING number
