-- What is known of each machine of the inventory or the ledger, by name.
SELECT coalesce(m.name::text, p.machine),
       p.offered_generation, p.offered_ruleset, p.offered_position, p.offered_at,
       p.confirmed_generation, p.confirmed_ruleset, p.confirmed_position, p.confirmed_at,
       p.before_generation, p.before_ruleset, p.before_position, p.before_at,
       p.machine_id, p.script, p.attempts, p.message, p.failure, p.failed_at, coalesce(p.needs_person, false), f.reason, f.who, f.at, p.whole, p.drift, p.drifted_at,
       coalesce(m.enabled AND m.enforcement <> 'unmanaged', false)
  FROM fleetwall.machine AS m
  FULL JOIN fleetwall.push_machine AS p ON p.machine = m.name::text
  LEFT JOIN fleetwall.machine_freeze AS f ON f.machine = m.name::text
 ORDER BY coalesce(m.name::text, p.machine) COLLATE "C"
