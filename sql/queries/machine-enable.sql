-- $1: names; $2: enabled or not. Gives those that were not so before.
UPDATE fleetwall.machine
   SET enabled = $2::boolean
 WHERE name = ANY ($1::text[] COLLATE "C") AND enabled <> $2::boolean
RETURNING name
