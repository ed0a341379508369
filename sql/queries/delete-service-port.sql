-- $1, $2: services and protocols, pairwise.
DELETE FROM fleetwall.service_port AS p
 USING unnest($1::text[], $2::smallint[]) AS gone (service, protocol)
 WHERE p.service = gone.service COLLATE "C" AND p.protocol = gone.protocol
