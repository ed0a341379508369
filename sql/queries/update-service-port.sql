-- $1, $2: services and protocols; $3: their ports.
UPDATE fleetwall.service_port AS p
   SET ports = new.ports
  FROM unnest($1::text[], $2::smallint[], $3::int4multirange[]) AS new (service, protocol, ports)
 WHERE p.service = new.service COLLATE "C" AND p.protocol = new.protocol
