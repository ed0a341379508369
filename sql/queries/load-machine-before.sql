-- As load-machine, without the changes that the settings of fleetwall.rows_later name.
WITH later AS MATERIALIZED (SELECT key #>> '{}' AS name, data FROM fleetwall.rows_later('machine'))
SELECT m.name, m.enabled, m.mode, m.enforcement, m.ssh_port, m.ssh_host, m.labels, m.document
  FROM fleetwall.machine AS m
 WHERE NOT EXISTS (SELECT FROM later WHERE later.name = m.name)
UNION ALL
SELECT r.name, r.enabled, r.mode, r.enforcement, r.ssh_port, r.ssh_host, r.labels, r.document
  FROM later, jsonb_populate_record(NULL::fleetwall.machine, data) AS r
 WHERE data IS NOT NULL
