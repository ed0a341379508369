-- $1, $2: networks and prefixes, pairwise.
DELETE FROM fleetwall.network_prefix AS p
 USING unnest($1::text[], $2::cidr[]) AS gone (network, prefix)
 WHERE p.network = gone.network COLLATE "C" AND p.prefix = gone.prefix
