-- As load-role, without the changes that the settings of fleetwall.rows_later name.
WITH later AS MATERIALIZED (SELECT key #>> '{}' AS name, data FROM fleetwall.rows_later('role')),
     roles AS (
        SELECT o.* FROM fleetwall.role AS o WHERE NOT EXISTS (SELECT FROM later WHERE later.name = o.name)
        UNION ALL
        SELECT r.* FROM later, jsonb_populate_record(NULL::fleetwall.role, data) AS r WHERE data IS NOT NULL)
SELECT name, description, owner, selector, egress, document
  FROM roles
 ORDER BY name COLLATE "C"
