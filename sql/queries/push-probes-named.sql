-- As push-probes, of the machines that the setting fleetwall.push_machines names.
SELECT p.machine, p.what, p.open, p.source
  FROM (SELECT DISTINCT unnest(string_to_array(current_setting('fleetwall.push_machines'), ',')) COLLATE "C" AS name) AS n
  JOIN fleetwall.probe AS p ON p.machine = n.name
 ORDER BY p.machine COLLATE "C", split_part(p.what, '/', 1)::integer, coalesce(p.source, '') COLLATE "C"
