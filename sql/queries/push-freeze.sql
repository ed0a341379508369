-- $1 a machine of the inventory, $2 why. Frozen already: with the new reason.
INSERT INTO fleetwall.machine_freeze (machine, reason) VALUES ($1, $2)
ON CONFLICT (machine) DO UPDATE SET reason = excluded.reason, who = excluded.who, at = excluded.at
