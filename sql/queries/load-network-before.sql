-- As load-network, without the changes that the settings of fleetwall.rows_before name.
SELECT r.name, r.document
  FROM fleetwall.rows_before('network') AS data, jsonb_populate_record(NULL::fleetwall.network, data) AS r
 ORDER BY r.name COLLATE "C"
