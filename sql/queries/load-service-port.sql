-- The ports of every service, a row a protocol, in any order: the reader groups them.
SELECT service, protocol, ports
  FROM fleetwall.service_port
