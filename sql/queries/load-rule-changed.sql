-- As load-rule, of the roles that the setting fleetwall.changed_roles names.
SELECT key, role, action, direction, what, protocol, ports, service, icmp_name, icmp_type, icmp_code, any_peer, interface,
       log, limit_count, limit_unit, since, until, enabled, ticket, owner, comment, text
  FROM fleetwall.rule
 WHERE role = ANY (string_to_array(current_setting('fleetwall.changed_roles'), ','))
 ORDER BY key
