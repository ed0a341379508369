-- The peers of every rule, in the order of their rules' keys.
SELECT rule, kind, first_address, last_address, machine, network, role, label
  FROM fleetwall.rule_peer
 ORDER BY rule
