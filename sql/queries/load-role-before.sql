-- As load-role, without the changes that the settings of fleetwall.rows_before name.
SELECT r.name, r.description, r.owner, r.selector, r.egress, r.document
  FROM fleetwall.rows_before('role') AS data, jsonb_populate_record(NULL::fleetwall.role, data) AS r
 ORDER BY r.name COLLATE "C"
