-- $1 role or null; $2 'unused' or null: roles, how many members and rules each has, and the roles whose rules name it as a peer. A role is
-- unused when no rule names it, and it does nothing to anybody.
SELECT * FROM (
    SELECT r.name AS role,
           (SELECT count(*) FROM fleetwall.role_member AS m WHERE m.role = r.name) AS members,
           (SELECT count(*) FROM fleetwall.rule AS u WHERE u.role = r.name) AS rules,
           r.egress,
           (SELECT string_agg(DISTINCT u.role COLLATE "C", E'\n' ORDER BY u.role COLLATE "C")
              FROM fleetwall.rule_peer AS p JOIN fleetwall.rule AS u ON u.key = p.rule
             WHERE p.role = r.name OR (p.kind = 'self' AND u.role = r.name)) AS used_by
      FROM fleetwall.role AS r
     WHERE $1::text IS NULL OR r.name = $1) AS role
 WHERE $2::text IS NULL OR (role.used_by IS NULL AND (role.members = 0 OR (role.rules = 0 AND role.egress = 'open')))
 ORDER BY role.role COLLATE "C"
