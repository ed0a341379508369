-- Every service, by name.
SELECT name, builtin, document
  FROM fleetwall.service
 ORDER BY name
