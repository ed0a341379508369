-- $1 a run, $2 why: nobody claims from it any more until it is resumed.
UPDATE fleetwall.push_run SET state = 'stopped', ended = now(), reason = left($2, 1000) WHERE number = $1::bigint AND state = 'running'
