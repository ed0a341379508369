-- $1 role: its members, disabled ones too, and how each came to it.
SELECT m.machine, m.role, m.via, h.enabled, h.mode, h.enforcement
FROM fleetwall.role_member m
JOIN fleetwall.machine h ON h.name = m.machine
WHERE m.role = $1
ORDER BY m.machine COLLATE "C"
