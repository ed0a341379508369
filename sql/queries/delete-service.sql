-- $1: names.
DELETE FROM fleetwall.service
 WHERE name = ANY ($1::text[] COLLATE "C")
