-- Every role, by name; the machines' own ("machine:NAME") among them.
SELECT name, description, owner, selector, egress, document
  FROM fleetwall.role
 ORDER BY name
