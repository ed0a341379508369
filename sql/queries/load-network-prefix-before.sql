-- As load-network-prefix, without the changes that the settings of fleetwall.rows_before name.
SELECT r.network, r.prefix
  FROM fleetwall.rows_before('network_prefix') AS data, jsonb_populate_record(NULL::fleetwall.network_prefix, data) AS r
