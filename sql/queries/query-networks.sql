-- $1 network or null; $2 'unused' or null: networks, their prefixes, and the roles whose rules name them.
SELECT * FROM (
    SELECT n.name AS network,
           (SELECT string_agg(p.prefix::text, E'\n' ORDER BY family(p.prefix), p.prefix) FROM fleetwall.network_prefix AS p WHERE p.network = n.name) AS prefixes,
           (SELECT string_agg(DISTINCT u.role COLLATE "C", E'\n' ORDER BY u.role COLLATE "C")
              FROM fleetwall.rule_peer AS p JOIN fleetwall.rule AS u ON u.key = p.rule
             WHERE p.network = n.name) AS used_by
      FROM fleetwall.network AS n
     WHERE $1::text IS NULL OR n.name = $1) AS network
 WHERE $2::text IS NULL OR network.used_by IS NULL
 ORDER BY network.network COLLATE "C"
