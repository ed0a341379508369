-- $1 prefixes, joined by commas: of each, by its place in the list, what it is by itself: a network's prefix, a machine's address.
WITH wanted AS MATERIALIZED (
    SELECT w.prefix::cidr AS prefix, w.place
      FROM unnest(string_to_array($1, ',')) WITH ORDINALITY AS w (prefix, place)),
found AS (
    SELECT w.place, 0 AS kind, 'network:' || n.network AS name
      FROM wanted AS w JOIN fleetwall.network_prefix AS n ON n.prefix = w.prefix
     UNION ALL
    SELECT w.place, 1, 'machine:' || a.machine
      FROM wanted AS w JOIN fleetwall.address AS a ON a.address = w.prefix::inet)
SELECT place, string_agg(name, ', ' ORDER BY kind, name COLLATE "C") FROM found GROUP BY place
