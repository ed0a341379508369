-- $1 a machine of the inventory, $2 why. It was unfrozen before, in the same transaction: somebody else who is as quick has said why.
INSERT INTO fleetwall.machine_freeze (machine, reason) VALUES ($1, $2) ON CONFLICT (machine) DO NOTHING
