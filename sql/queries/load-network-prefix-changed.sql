-- As load-network-prefix, of the networks that the setting fleetwall.changed_networks names.
SELECT network, prefix
  FROM fleetwall.network_prefix
 WHERE network = ANY (string_to_array(current_setting('fleetwall.changed_networks'), ','))
