-- $1 a machine: something may be pushed to it again.
DELETE FROM fleetwall.machine_freeze WHERE machine = $1
