-- As load-service, without the changes that the settings of fleetwall.rows_later name.
WITH later AS MATERIALIZED (SELECT key #>> '{}' AS name, data FROM fleetwall.rows_later('service')),
     services AS (
        SELECT s.* FROM fleetwall.service AS s WHERE NOT EXISTS (SELECT FROM later WHERE later.name = s.name)
        UNION ALL
        SELECT r.* FROM later, jsonb_populate_record(NULL::fleetwall.service, data) AS r WHERE data IS NOT NULL)
SELECT name, builtin, document
  FROM services
 ORDER BY name COLLATE "C"
