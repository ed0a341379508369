-- As load-service, without the changes that the settings of fleetwall.rows_before name.
SELECT r.name, r.builtin, r.document
  FROM fleetwall.rows_before('service') AS data, jsonb_populate_record(NULL::fleetwall.service, data) AS r
 ORDER BY r.name COLLATE "C"
