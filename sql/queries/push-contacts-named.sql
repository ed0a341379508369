-- As push-contacts, of the machines that the setting fleetwall.push_machines names.
SELECT m.name::text, coalesce(m.ssh_host, host(a.management), host(a.first), m.name::text), coalesce(m.ssh_port, 0), m.enabled
  FROM (SELECT DISTINCT unnest(string_to_array(current_setting('fleetwall.push_machines'), ',')) COLLATE "C" AS name) AS n
  JOIN fleetwall.machine AS m ON m.name = n.name
  LEFT JOIN LATERAL (SELECT min(address) FILTER (WHERE label = 'management') AS management, min(address) AS first
                       FROM fleetwall.address WHERE machine = m.name::text) AS a ON true
 ORDER BY m.name::text COLLATE "C"
