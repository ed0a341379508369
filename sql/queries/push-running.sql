-- $1 a run that was begun: it runs, and its generation is pinned.
WITH pinned AS (INSERT INTO fleetwall.generation_pin (generation, holder) SELECT generation, 'push run ' || number FROM fleetwall.push_run WHERE number = $1::bigint)
UPDATE fleetwall.push_run SET state = 'running', ended = NULL, reason = NULL WHERE number = $1::bigint
