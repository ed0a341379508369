-- Looking back costs what changed since, not what the fleet is: only the rows that are to be taken back come from the history, as JSON; all others are
-- read as they are.

CREATE FUNCTION fleetwall.rows_later(wanted_kind text) RETURNS TABLE (key jsonb, data jsonb)
    LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    moment timestamptz := nullif(current_setting('fleetwall.at', true), '')::timestamptz;
    one_transaction bigint := nullif(current_setting('fleetwall.without_transaction', true), '')::bigint;
    one_change bigint := nullif(current_setting('fleetwall.without_change', true), '')::bigint;
    seen pg_snapshot := nullif(current_setting('fleetwall.at_snapshot', true), '')::pg_snapshot;
    later bigint[];
BEGIN
    IF moment IS NULL AND one_transaction IS NULL AND one_change IS NULL AND seen IS NULL THEN
        RAISE EXCEPTION 'before what? None of the settings fleetwall.at, without_transaction, without_change and at_snapshot is there';
    END IF;
    SELECT array_agg(t.number) INTO later
    FROM fleetwall.history_transaction AS t
    WHERE (moment IS NULL OR t.at > moment) AND (one_transaction IS NULL OR t.number = one_transaction)
      AND (one_change IS NULL OR t.number = (SELECT h.transaction FROM fleetwall.history AS h WHERE h.number = one_change))
      AND (seen IS NULL OR NOT pg_visible_in_snapshot(t.xact, seen));
    -- Of each row the oldest state that is wanted: what it was before the first of these changes; nothing if that one made it.
    RETURN QUERY
        SELECT DISTINCT ON (side.key) side.key, side.data
        FROM unnest(later) AS of (number)
        JOIN fleetwall.history AS h ON h.transaction = of.number
        CROSS JOIN LATERAL (
            SELECT fleetwall.history_key(h.kind, h.before) AS key, h.before AS data, 1 AS place WHERE h.before IS NOT NULL
            UNION ALL
            SELECT fleetwall.history_key(h.kind, h.after), NULL, 2 WHERE h.after IS NOT NULL) AS side
        WHERE h.kind = wanted_kind
          AND h.transaction >= (SELECT min(number) FROM unnest(later) AS number) AND (one_change IS NULL OR h.number = one_change)
        ORDER BY side.key, h.number, side.place;
END $$;
COMMENT ON FUNCTION fleetwall.rows_later IS 'Which rows of a table are not to be read as they are, and what to read instead, null for nothing: so that the table is as of a time, as a snapshot saw it, or as if a transaction or a change had not been, as the settings say';

-- The same for people: whole tables, as JSON.
CREATE OR REPLACE FUNCTION fleetwall.rows_before(wanted_kind text) RETURNS SETOF jsonb
    LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    RETURN QUERY EXECUTE format($query$
        WITH later AS MATERIALIZED (SELECT key, data FROM fleetwall.rows_later(%1$L))
        SELECT now_there.data
        FROM (SELECT %2$s AS data FROM fleetwall.%1$I AS r) AS now_there
        WHERE now_there.data IS NOT NULL
          AND NOT EXISTS (SELECT FROM later WHERE later.key = fleetwall.history_key(%1$L, now_there.data))
        UNION ALL
        SELECT later.data FROM later WHERE later.data IS NOT NULL$query$,
        wanted_kind, CASE wanted_kind WHEN 'rule' THEN 'fleetwall.history_rule(r)' ELSE 'to_jsonb(r)' END);
END $$;
