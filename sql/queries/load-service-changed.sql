-- As load-service, of the services that the setting fleetwall.changed_services names.
SELECT name, builtin, document
  FROM fleetwall.service
 WHERE name = ANY (string_to_array(current_setting('fleetwall.changed_services'), ','))
 ORDER BY name
