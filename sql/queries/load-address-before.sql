-- As load-address, without the changes that the settings of fleetwall.rows_before name.
SELECT r.machine, r.address, r.label
  FROM fleetwall.rows_before('address') AS data, jsonb_populate_record(NULL::fleetwall.address, data) AS r
