-- $1: names.
DELETE FROM fleetwall.network
 WHERE name = ANY ($1::text[] COLLATE "C")
