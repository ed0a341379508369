-- The clock of the snapshot, in whole seconds since 1970: never earlier than that of a generation.
SELECT greatest(floor(extract(epoch FROM now())), (SELECT ceil(extract(epoch FROM max(clock))) FROM fleetwall.generation))::bigint
