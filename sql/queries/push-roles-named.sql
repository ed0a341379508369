-- As push-roles, of the machines that the setting fleetwall.push_machines names.
WITH named AS MATERIALIZED (
    SELECT m.name::text AS name, m.labels
      FROM (SELECT DISTINCT unnest(string_to_array(current_setting('fleetwall.push_machines'), ',')) COLLATE "C" AS name) AS n
      JOIN fleetwall.machine AS m ON m.name = n.name),
selecting AS MATERIALIZED (SELECT name, selector FROM fleetwall.role WHERE selector IS NOT NULL)
SELECT m.machine, m.role FROM named JOIN fleetwall.member AS m ON m.machine = named.name
UNION ALL
SELECT r.machine, r.name FROM named JOIN fleetwall.role AS r ON r.machine = named.name
UNION ALL
SELECT named.name, s.name FROM named JOIN selecting AS s ON named.labels @> s.selector
