-- $1, $2: machines and addresses, pairwise.
DELETE FROM fleetwall.address AS a
 USING unnest($1::text[], $2::inet[]) AS gone (machine, address)
 WHERE a.machine = gone.machine COLLATE "C" AND a.address = gone.address
