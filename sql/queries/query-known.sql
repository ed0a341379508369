-- $1 machine, role, network or rule; $2 its name, or the id of the rule: is there one?
SELECT CASE $1::text
         WHEN 'machine' THEN EXISTS (SELECT FROM fleetwall.machine WHERE name = $2)
         WHEN 'role' THEN EXISTS (SELECT FROM fleetwall.role WHERE name = $2)
         WHEN 'network' THEN EXISTS (SELECT FROM fleetwall.network WHERE name = $2)
         WHEN 'rule' THEN EXISTS (SELECT FROM fleetwall.rule WHERE left(encode(digest, 'hex'), 12) = $2)
       END AS known
