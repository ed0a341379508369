-- $1 names joined by commas: they have been looked at for drift.
UPDATE fleetwall.push_machine SET drift_at = now() WHERE machine = ANY (string_to_array($1, ','))
