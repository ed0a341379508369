-- As load-service-port, of the services that the setting fleetwall.changed_services names.
SELECT service, protocol, ports
  FROM fleetwall.service_port
 WHERE service = ANY (string_to_array(current_setting('fleetwall.changed_services'), ','))
