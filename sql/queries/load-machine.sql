-- Every machine, in any order: the reader sorts them. Addresses and roles are tables of their own.
SELECT name, enabled, mode, enforcement, ssh_port, ssh_host, labels, document
  FROM fleetwall.machine
