-- As load-member, without the changes that the settings of fleetwall.rows_before name.
SELECT r.machine, r.role
  FROM fleetwall.rows_before('member') AS data, jsonb_populate_record(NULL::fleetwall.member, data) AS r
