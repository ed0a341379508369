-- As load-address, of the machines that the setting fleetwall.changed_addresses names.
SELECT machine, address, label
  FROM fleetwall.address
 WHERE machine = ANY (string_to_array(current_setting('fleetwall.changed_addresses'), ','))
