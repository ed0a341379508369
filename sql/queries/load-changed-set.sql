-- Names, joined by commas, of the objects that the queries load-…-changed are about: $1 machines whose rows, $2 whose addresses, $3 whose
-- memberships are to come, $4 roles, $5 networks, $6 services. Until the transaction ends.
SELECT set_config('fleetwall.changed_machines', $1, true),
       set_config('fleetwall.changed_addresses', $2, true),
       set_config('fleetwall.changed_members', $3, true),
       set_config('fleetwall.changed_roles', $4, true),
       set_config('fleetwall.changed_networks', $5, true),
       set_config('fleetwall.changed_services', $6, true)
