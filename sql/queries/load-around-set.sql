-- What a question about a few machines needs to know, as the settings that the queries load-…-changed and load-member-around are about.
-- Until the transaction ends. Names are joined by commas. $1 machines, with their roles and whom the rules of these speak of; $2 addresses:
-- everybody who has one of them, or one of these machines'; $3 roles: their members; $4 machines that come as well; $5 a protocol and
-- $6 its port, where it has one: also the roles with a rule that allows such packets (0: ICMP of both families).
WITH held AS MATERIALIZED (
    SELECT DISTINCT role FROM fleetwall.role_member WHERE machine = ANY (string_to_array($1, ','))),
letting AS (
    SELECT r.role
      FROM fleetwall.rule AS r
     WHERE $5 <> '' AND r.action = 'allow'
       AND CASE r.what
           WHEN 'all' THEN true
           WHEN 'protocol' THEN r.protocol::text = $5
           WHEN 'ports' THEN r.protocol::text = $5 AND $6 <> '' AND r.ports @> nullif($6, '')::integer
           WHEN 'service' THEN EXISTS (
               SELECT FROM fleetwall.service_port AS p
                WHERE p.service = r.service AND p.protocol::text = $5 AND $6 <> '' AND p.ports @> nullif($6, '')::integer)
           ELSE $5 IN ('0', '1', '58') END),
wanted AS MATERIALIZED (
    SELECT role FROM held
     UNION
    SELECT role FROM letting),
spoken AS MATERIALIZED (
    SELECT DISTINCT p.network, p.role
      FROM wanted
      JOIN fleetwall.rule AS r ON r.role = wanted.role
      JOIN fleetwall.rule_peer AS p ON p.rule = r.key AND p.kind IN ('network', 'role')),
named AS (
    SELECT role FROM wanted
     UNION
    SELECT role FROM spoken WHERE role IS NOT NULL),
near AS MATERIALIZED (
    SELECT unnest(string_to_array($2, ','))::inet AS address
     UNION
    SELECT address FROM fleetwall.address WHERE machine = ANY (string_to_array($1, ','))),
meant AS (
    SELECT name::text AS machine FROM fleetwall.machine WHERE name = ANY (string_to_array($1, ',') || string_to_array($4, ','))
     UNION
    SELECT a.machine FROM near JOIN fleetwall.address AS a ON a.address = near.address
     UNION
    SELECT machine FROM fleetwall.role_member WHERE role = ANY (string_to_array($3, ',')))
SELECT set_config('fleetwall.changed_machines', machines, true) IS NULL,
       set_config('fleetwall.changed_addresses', machines, true) IS NULL,
       set_config('fleetwall.changed_roles', coalesce((SELECT string_agg(role, ',') FROM named), ''), true) IS NULL,
       set_config('fleetwall.changed_networks', coalesce((SELECT string_agg(DISTINCT network, ',') FROM spoken), ''), true) IS NULL
  FROM (SELECT coalesce(string_agg(machine, ','), '') AS machines FROM meant) AS them
