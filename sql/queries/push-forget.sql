-- $1 a machine: what it has is not known any more. What it may go back to is.
WITH forgotten AS (DELETE FROM fleetwall.machine_generation WHERE machine = $1)
UPDATE fleetwall.push_machine
   SET confirmed_generation = NULL, confirmed_ruleset = NULL, confirmed_position = NULL, confirmed_at = NULL
 WHERE machine = $1
