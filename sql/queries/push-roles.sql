-- The memberships of machines, in no order; one that is assigned and found by a selector is there twice.
SELECT machine, role FROM fleetwall.member
UNION ALL
SELECT machine, name FROM fleetwall.role WHERE machine IS NOT NULL
UNION ALL
SELECT m.name::text, r.name FROM fleetwall.role AS r JOIN fleetwall.machine AS m ON m.labels @> r.selector
