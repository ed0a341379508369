-- As load-service-port, without the changes that the settings of fleetwall.rows_before name.
SELECT r.service, r.protocol, r.ports
  FROM fleetwall.rows_before('service_port') AS data, jsonb_populate_record(NULL::fleetwall.service_port, data) AS r
