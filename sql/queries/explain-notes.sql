-- $1 ids of rules, joined by commas: why each is there, and who answers for it and for its role.
SELECT r.role, r.text, r.ticket, r.owner, o.owner
  FROM fleetwall.rule AS r
  JOIN fleetwall.role AS o ON o.name = r.role
 WHERE r.id = ANY (string_to_array($1, ','))
