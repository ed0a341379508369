-- As load-network-prefix, without the changes that the settings of fleetwall.rows_later name.
WITH later AS MATERIALIZED (SELECT key ->> 0 AS network, (key ->> 1)::cidr AS prefix, data FROM fleetwall.rows_later('network_prefix'))
SELECT p.network, p.prefix
  FROM fleetwall.network_prefix AS p
 WHERE NOT EXISTS (SELECT FROM later WHERE later.network = p.network AND later.prefix = p.prefix)
UNION ALL
SELECT r.network, r.prefix
  FROM later, jsonb_populate_record(NULL::fleetwall.network_prefix, data) AS r
 WHERE data IS NOT NULL
