-- As load-machine, without the changes that the settings of fleetwall.rows_before name.
SELECT r.name, r.enabled, r.mode, r.enforcement, r.ssh_port, r.ssh_host, r.labels, r.document
  FROM fleetwall.rows_before('machine') AS data, jsonb_populate_record(NULL::fleetwall.machine, data) AS r
 ORDER BY r.name COLLATE "C"
