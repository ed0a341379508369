-- As load-network, of the networks that the setting fleetwall.changed_networks names.
SELECT name, document
  FROM fleetwall.network
 WHERE name = ANY (string_to_array(current_setting('fleetwall.changed_networks'), ','))
 ORDER BY name
