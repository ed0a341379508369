-- As load-member, of the machines that the setting fleetwall.changed_members names.
SELECT machine, role
  FROM fleetwall.member
 WHERE machine = ANY (string_to_array(current_setting('fleetwall.changed_members'), ','))
