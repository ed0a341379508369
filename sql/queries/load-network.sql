-- Every network, by name.
SELECT name, document
  FROM fleetwall.network
 ORDER BY name
