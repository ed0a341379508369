-- As load-rule-peer, of the rules of the roles that the setting fleetwall.changed_roles names.
SELECT p.rule, p.kind, p.first_address, p.last_address, p.machine, p.network, p.role, p.label
  FROM fleetwall.rule AS r
  JOIN fleetwall.rule_peer AS p ON p.rule = r.key
 WHERE r.role = ANY (string_to_array(current_setting('fleetwall.changed_roles'), ','))
 ORDER BY p.rule
