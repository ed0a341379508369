-- As load-address, without the changes that the settings of fleetwall.rows_later name.
WITH later AS MATERIALIZED (SELECT key ->> 0 AS machine, (key ->> 1)::inet AS address, data FROM fleetwall.rows_later('address'))
SELECT a.machine, a.address, a.label
  FROM fleetwall.address AS a
 WHERE NOT EXISTS (SELECT FROM later WHERE later.machine = a.machine AND later.address = a.address)
UNION ALL
SELECT r.machine, r.address, r.label
  FROM later, jsonb_populate_record(NULL::fleetwall.address, data) AS r
 WHERE data IS NOT NULL
