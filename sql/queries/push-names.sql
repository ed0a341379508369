-- $1 names of machines, joined by commas: those that the queries push-…-named are about. Until the transaction ends.
SELECT set_config('fleetwall.push_machines', $1, true)
