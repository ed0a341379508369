-- $1 run, $2 machine, $3 fence, $4 what kind of failure, $5 what is said of it, $6 does it need a person, $7 milliseconds until it is tried again, or 0. A
-- run that was superseded does not try again. What can't be sent, as it is damaged here, says nothing against sending the rest: it does not count against
-- max_failures. One row if the claim is still that one.
WITH ours AS MATERIALIZED (
    SELECT w.run, w.machine, $7::bigint > 0 AND r.state <> 'superseded' AS again
      FROM fleetwall.push_work AS w JOIN fleetwall.push_machine AS p ON p.machine = w.machine JOIN fleetwall.push_run AS r ON r.number = w.run
     WHERE w.run = $1::bigint AND w.machine = $2 AND w.fence = $3::bigint AND w.lease IS NOT NULL AND p.fence = w.fence
       FOR UPDATE OF w, p),
known AS (
    UPDATE fleetwall.push_machine AS p SET failure = $4, message = $5, failed_at = now(), needs_person = $6::boolean AND NOT ours.again
      FROM ours WHERE p.machine = ours.machine)
UPDATE fleetwall.push_work AS w
   SET state = CASE WHEN ours.again THEN 'waiting' ELSE 'failed' END, counts = $4 <> 'damaged', lease = NULL, failure = $4, message = $5, at = now(),
       due = CASE WHEN ours.again THEN now() + make_interval(secs => $7::bigint / 1000.0) ELSE w.due END
  FROM ours WHERE w.run = ours.run AND w.machine = ours.machine
RETURNING w.machine
