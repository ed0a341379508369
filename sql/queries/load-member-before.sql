-- As load-member, without the changes that the settings of fleetwall.rows_later name.
WITH later AS MATERIALIZED (SELECT key ->> 0 AS role, key ->> 1 AS machine, data FROM fleetwall.rows_later('member'))
SELECT m.machine, m.role
  FROM fleetwall.member AS m
 WHERE NOT EXISTS (SELECT FROM later WHERE later.role = m.role AND later.machine = m.machine)
UNION ALL
SELECT r.machine, r.role
  FROM later, jsonb_populate_record(NULL::fleetwall.member, data) AS r
 WHERE data IS NOT NULL
