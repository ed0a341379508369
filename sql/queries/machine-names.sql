-- The names of all machines.
SELECT name
  FROM fleetwall.machine
 ORDER BY name
