-- As load-member-changed, of the roles alone that the setting fleetwall.changed_roles names.
WITH held AS MATERIALIZED (
    SELECT machine, role
      FROM fleetwall.member
     WHERE machine = ANY (string_to_array(current_setting('fleetwall.changed_machines'), ',')))
SELECT machine, role
  FROM held
 WHERE role IN (SELECT unnest(string_to_array(current_setting('fleetwall.changed_roles'), ',')))
