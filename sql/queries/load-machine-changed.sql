-- As load-machine, of the machines that the setting fleetwall.changed_machines names.
SELECT name, enabled, mode, enforcement, ssh_port, ssh_host, labels, document
  FROM fleetwall.machine
 WHERE name = ANY (string_to_array(current_setting('fleetwall.changed_machines'), ','))
