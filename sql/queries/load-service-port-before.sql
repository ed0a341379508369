-- As load-service-port, without the changes that the settings of fleetwall.rows_later name.
WITH later AS MATERIALIZED (SELECT key ->> 0 AS service, (key ->> 1)::smallint AS protocol, data FROM fleetwall.rows_later('service_port'))
SELECT p.service, p.protocol, p.ports
  FROM fleetwall.service_port AS p
 WHERE NOT EXISTS (SELECT FROM later WHERE later.service = p.service AND later.protocol = p.protocol)
UNION ALL
SELECT r.service, r.protocol, r.ports
  FROM later, jsonb_populate_record(NULL::fleetwall.service_port, data) AS r
 WHERE data IS NOT NULL
