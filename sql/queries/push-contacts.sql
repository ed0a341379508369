-- How to reach each machine of the inventory, by name: its host, the lower family and address first where it has several. Its roles: push-roles.
SELECT m.name::text, coalesce(m.ssh_host, host(a.management), host(a.first), m.name::text), coalesce(m.ssh_port, 0), m.enabled
  FROM fleetwall.machine AS m
  LEFT JOIN (SELECT machine, min(address) FILTER (WHERE label = 'management') AS management, min(address) AS first
               FROM fleetwall.address GROUP BY machine) AS a ON a.machine = m.name::text
 ORDER BY m.name::text COLLATE "C"
