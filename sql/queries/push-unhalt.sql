-- Pushing is allowed again.
DELETE FROM fleetwall.push_halt
