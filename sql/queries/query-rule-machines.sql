-- $1 id of a rule: the machines that get it now.
SELECT g.machine, g.role, g.rule_id, g.rule
  FROM fleetwall.machine_rule AS g
 WHERE g.rule_id = $1
 ORDER BY g.machine COLLATE "C", g.role COLLATE "C"
