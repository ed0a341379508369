-- Every rule, by key, in columns; `text` is there to be compared with what the columns say.
SELECT key, role, action, direction, what, protocol, ports, service, icmp_name, icmp_type, icmp_code, any_peer, interface,
       log, limit_count, limit_unit, since, until, enabled, ticket, owner, comment, text
  FROM fleetwall.rule
 ORDER BY key
