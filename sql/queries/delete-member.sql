-- $1, $2: roles and machines, pairwise.
DELETE FROM fleetwall.member AS m
 USING unnest($1::text[], $2::text[]) AS gone (role, machine)
 WHERE m.role = gone.role COLLATE "C" AND m.machine = gone.machine COLLATE "C"
