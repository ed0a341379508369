-- As push-machines, of the machines that the setting fleetwall.push_machines names.
SELECT n.name,
       p.offered_generation, p.offered_ruleset, p.offered_position, p.offered_at,
       p.confirmed_generation, p.confirmed_ruleset, p.confirmed_position, p.confirmed_at,
       p.before_generation, p.before_ruleset, p.before_position, p.before_at,
       p.machine_id, p.script, p.attempts, p.message, p.failure, p.failed_at, coalesce(p.needs_person, false), f.reason, f.who, f.at, p.whole, p.drift, p.drifted_at,
       coalesce(m.enabled AND m.enforcement <> 'unmanaged', false)
  FROM (SELECT DISTINCT unnest(string_to_array(current_setting('fleetwall.push_machines'), ',')) COLLATE "C" AS name) AS n
  LEFT JOIN fleetwall.machine AS m ON m.name = n.name
  LEFT JOIN fleetwall.push_machine AS p ON p.machine = n.name
  LEFT JOIN fleetwall.machine_freeze AS f ON f.machine = n.name
 WHERE m.name IS NOT NULL OR p.machine IS NOT NULL
 ORDER BY n.name COLLATE "C"
