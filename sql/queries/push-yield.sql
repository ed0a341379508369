-- What is running stops, so that machines can go back; it may be resumed.
UPDATE fleetwall.push_run SET state = 'stopped', ended = now(), reason = format('stopped by %s, for a rollback', fleetwall.person()) WHERE state = 'running'
