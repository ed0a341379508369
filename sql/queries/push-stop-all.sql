-- $1 why: stops the run that is running.
UPDATE fleetwall.push_run SET state = 'stopped', ended = now(), reason = left(format('halted by %s: %s', fleetwall.person(), $1::text), 1000) WHERE state = 'running'
