-- Every service, by name.
SELECT name, builtin
  FROM fleetwall.service
 ORDER BY name
