-- $1 a run, $2 do its failures wait again? It runs again; failures that it had do not count any more.
WITH failed AS (
    UPDATE fleetwall.push_work
       SET counts = $2::boolean, due = '-infinity', attempt = CASE WHEN $2::boolean THEN 0 ELSE attempt END, at = CASE WHEN $2::boolean THEN now() ELSE at END,
           state = CASE WHEN $2::boolean THEN 'waiting' ELSE 'failed' END
     WHERE run = $1::bigint AND state = 'failed'),
again AS (SELECT min(wave) AS wave FROM fleetwall.push_work WHERE run = $1::bigint AND state = 'failed' AND $2::boolean)
UPDATE fleetwall.push_run SET state = 'running', ended = NULL, reason = NULL, wave = least(wave, (SELECT again.wave FROM again)) WHERE number = $1::bigint
