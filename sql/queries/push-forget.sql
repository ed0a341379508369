-- $1 a machine: whether it has what it confirmed is not known any more.
UPDATE fleetwall.push_machine SET whole = true WHERE machine = $1
