-- $1 machines, $2 roles, $3 networks, $4 services: names, joined by commas, of the objects that the queries load-…-changed are about. Until the
-- transaction ends.
SELECT set_config('fleetwall.changed_machines', $1, true),
       set_config('fleetwall.changed_roles', $2, true),
       set_config('fleetwall.changed_networks', $3, true),
       set_config('fleetwall.changed_services', $4, true)
