-- $1: names.
DELETE FROM fleetwall.role
 WHERE name = ANY ($1::text[] COLLATE "C")
