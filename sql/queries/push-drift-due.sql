-- $1 how many machines: those that nobody looked at for drift for longest, of those that have confirmed something and can be asked.
SELECT state.machine
  FROM fleetwall.push_machine AS state
  JOIN fleetwall.machine ON machine.name = state.machine AND machine.enabled
 WHERE state.confirmed_generation IS NOT NULL
   AND NOT EXISTS (SELECT FROM fleetwall.machine_freeze AS frozen WHERE frozen.machine = state.machine)
 ORDER BY state.drift_at NULLS FIRST, state.machine
 LIMIT $1::bigint
