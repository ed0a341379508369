-- $1: names.
DELETE FROM fleetwall.machine
 WHERE name = ANY ($1::text[] COLLATE "C")
