-- $1 a run: all of it is final.
WITH unpinned AS (DELETE FROM fleetwall.generation_pin WHERE holder = 'push run ' || $1::bigint)
UPDATE fleetwall.push_run SET state = 'done', ended = now() WHERE number = $1::bigint
