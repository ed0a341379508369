-- As load-role, of the roles that the setting fleetwall.changed_roles names.
SELECT name, description, owner, selector, egress, document
  FROM fleetwall.role
 WHERE name = ANY (string_to_array(current_setting('fleetwall.changed_roles'), ','))
 ORDER BY name
