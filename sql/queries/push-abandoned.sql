-- Claims of superseded runs whose pusher did not come back: nobody goes on with them.
UPDATE fleetwall.push_work AS w SET state = 'skipped', message = 'its pusher did not come back, and ' || r.reason, lease = NULL, at = now()
  FROM fleetwall.push_run AS r
 WHERE r.number = w.run AND r.state = 'superseded' AND w.state = 'claimed' AND w.lease <= now()
