-- The names of all that there is: who misspelled one gets the nearest.
SELECT name FROM fleetwall.machine
UNION SELECT name FROM fleetwall.role
UNION SELECT name FROM fleetwall.network
UNION SELECT name FROM fleetwall.service
 ORDER BY name
