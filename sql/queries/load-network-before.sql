-- As load-network, without the changes that the settings of fleetwall.rows_later name.
WITH later AS MATERIALIZED (SELECT key #>> '{}' AS name, data FROM fleetwall.rows_later('network')),
     networks AS (
        SELECT n.* FROM fleetwall.network AS n WHERE NOT EXISTS (SELECT FROM later WHERE later.name = n.name)
        UNION ALL
        SELECT r.* FROM later, jsonb_populate_record(NULL::fleetwall.network, data) AS r WHERE data IS NOT NULL)
SELECT name, document
  FROM networks
 ORDER BY name COLLATE "C"
