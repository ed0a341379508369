-- $1 machine: the rules that it gets now, and what is known of each.
SELECT g.machine, g.role, g.rule_id, g.rule, r.ticket, r.owner
FROM fleetwall.machine_rule g
JOIN fleetwall.rule r ON r.role = g.role AND r.text = g.rule
WHERE g.machine = $1
ORDER BY g.role COLLATE "C", g.rule COLLATE "C"
