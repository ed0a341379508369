-- One clock for everybody: that of the snapshot, but never earlier than that of a generation, so that a rule that has ended does not count again where
-- the server's clock was set back.

CREATE FUNCTION fleetwall.clock() RETURNS timestamptz
    LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT greatest(now(), (SELECT max(clock) FROM fleetwall.generation))
$$;
COMMENT ON FUNCTION fleetwall.clock IS 'What time it is for rules that begin or end: now, or the clock of the latest generation if that is later';

CREATE OR REPLACE VIEW fleetwall.machine_rule AS
    SELECT m.name::text AS machine, u.role, u.id AS rule_id, u.text AS rule
    FROM fleetwall.machine AS m
    JOIN fleetwall.role_member AS r ON r.machine = m.name
    JOIN fleetwall.rule AS u ON u.role = r.role
    WHERE m.enabled AND m.enforcement <> 'unmanaged'
      AND u.enabled AND (u.since IS NULL OR u.since <= (SELECT fleetwall.clock())) AND (u.until IS NULL OR (SELECT fleetwall.clock()) < u.until);
