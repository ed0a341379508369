-- $1 run, $2 machine, $3 fence: it is sent this now, unless the run was stopped or pushing was halted meanwhile. One row if the claim is still that one: may it be sent?
WITH ours AS MATERIALIZED (
    SELECT w.machine, w.ruleset, w.position, r.generation, r.state <> 'stopped' AND (r.rollback OR NOT EXISTS (SELECT FROM fleetwall.push_halt)) AS go
      FROM fleetwall.push_work AS w JOIN fleetwall.push_machine AS p ON p.machine = w.machine JOIN fleetwall.push_run AS r ON r.number = w.run
     WHERE w.run = $1::bigint AND w.machine = $2 AND w.fence = $3::bigint AND w.lease IS NOT NULL AND p.fence = w.fence
       FOR UPDATE OF w, p),
noted AS (
    UPDATE fleetwall.push_machine AS p
       SET offered_generation = ours.generation, offered_ruleset = ours.ruleset, offered_position = ours.position, offered_at = now()
      FROM ours WHERE p.machine = ours.machine AND ours.go)
SELECT go FROM ours
