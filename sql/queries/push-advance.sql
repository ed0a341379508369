-- $1 a run, $2 its wave: all of it is final, so the next one opens.
UPDATE fleetwall.push_run SET wave = wave + 1 WHERE number = $1::bigint AND wave = $2::integer
