-- $1 machine: the rules that it gets now, how it came to the role of each, and what is known of it.
SELECT g.machine, g.role, m.via, g.rule_id, g.rule, r.ticket, r.owner,
       to_char(r.until AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"')
  FROM fleetwall.machine_rule AS g
  JOIN fleetwall.role_member AS m ON m.machine = g.machine AND m.role = g.role
  JOIN fleetwall.rule AS r ON r.role = g.role AND r.text = g.rule
 WHERE g.machine = $1 AND m.machine = $1
 ORDER BY g.role COLLATE "C", g.rule COLLATE "C"
