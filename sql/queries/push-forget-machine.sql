-- $1 a machine that was installed anew: what it has is not known, nor who it is; how the last attempt went speaks of another one.
WITH forgotten AS (DELETE FROM fleetwall.machine_generation WHERE machine = $1)
UPDATE fleetwall.push_machine
   SET confirmed_generation = NULL, confirmed_ruleset = NULL, confirmed_position = NULL, confirmed_at = NULL,
       before_generation = NULL, before_ruleset = NULL, before_position = NULL, before_at = NULL,
       machine_id = NULL, script = NULL, attempts = 0, failure = NULL, message = NULL, failed_at = NULL, needs_person = false,
       whole = false, drift = NULL, drifted_at = NULL
 WHERE machine = $1
