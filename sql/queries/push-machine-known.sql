-- $1 a machine: one row if it is in the inventory.
SELECT name FROM fleetwall.machine WHERE name = $1
