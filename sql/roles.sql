-- The three database roles. They belong to the whole server, so that only who may create roles can make them; they log nobody in by
-- themselves: GRANT fleetwall_editor TO somebody. May be run again.
DO $$
DECLARE
    wanted text;
BEGIN
    FOREACH wanted IN ARRAY ARRAY['fleetwall_reader', 'fleetwall_editor', 'fleetwall_operator'] LOOP
        IF NOT EXISTS (SELECT FROM pg_catalog.pg_roles WHERE rolname = wanted) THEN
            EXECUTE pg_catalog.format('CREATE ROLE %I NOLOGIN', wanted);
        END IF;
        IF wanted <> 'fleetwall_reader' AND NOT pg_catalog.pg_has_role(wanted, 'fleetwall_reader', 'USAGE') THEN
            EXECUTE pg_catalog.format('GRANT fleetwall_reader TO %I', wanted);
        END IF;
    END LOOP;
END $$;
