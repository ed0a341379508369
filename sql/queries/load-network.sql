-- Every network, by name.
SELECT name
  FROM fleetwall.network
 ORDER BY name
