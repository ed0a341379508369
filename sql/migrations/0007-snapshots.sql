-- A fourth way of looking back: the inventory as a run of generate saw it, by the snapshot that its generation keeps. A time can't say that: of two
-- transactions that began at the same moment one may have been visible and the other not.

CREATE OR REPLACE FUNCTION fleetwall.rows_before(wanted_kind text) RETURNS SETOF jsonb
    LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    moment timestamptz := nullif(current_setting('fleetwall.at', true), '')::timestamptz;
    one_transaction bigint := nullif(current_setting('fleetwall.without_transaction', true), '')::bigint;
    one_change bigint := nullif(current_setting('fleetwall.without_change', true), '')::bigint;
    seen pg_snapshot := nullif(current_setting('fleetwall.at_snapshot', true), '')::pg_snapshot;
BEGIN
    IF moment IS NULL AND one_transaction IS NULL AND one_change IS NULL AND seen IS NULL THEN
        RAISE EXCEPTION 'before what? None of the settings fleetwall.at, without_transaction, without_change and at_snapshot is there';
    END IF;
    RETURN QUERY EXECUTE format($query$
        WITH later AS MATERIALIZED (
            SELECT DISTINCT ON (side.key) side.key, side.data
            FROM fleetwall.history AS h
            JOIN fleetwall.history_transaction AS t ON t.number = h.transaction
            CROSS JOIN LATERAL (
                SELECT fleetwall.history_key(h.kind, h.before) AS key, h.before AS data, 1 AS place WHERE h.before IS NOT NULL
                UNION ALL
                SELECT fleetwall.history_key(h.kind, h.after), NULL, 2 WHERE h.after IS NOT NULL) AS side
            WHERE h.kind = %1$L AND ($1 IS NULL OR t.at > $1) AND ($2 IS NULL OR h.transaction = $2) AND ($3 IS NULL OR h.number = $3)
              AND ($4 IS NULL OR NOT pg_visible_in_snapshot(t.xact, $4))
            ORDER BY side.key, h.number, side.place)
        SELECT now_there.data
        FROM (SELECT %2$s AS data FROM fleetwall.%1$I AS r) AS now_there
        WHERE now_there.data IS NOT NULL
          AND NOT EXISTS (SELECT FROM later WHERE later.key = fleetwall.history_key(%1$L, now_there.data))
        UNION ALL
        SELECT later.data FROM later WHERE later.data IS NOT NULL$query$,
        wanted_kind, CASE wanted_kind WHEN 'rule' THEN 'fleetwall.history_rule(r)' ELSE 'to_jsonb(r)' END)
    USING moment, one_transaction, one_change, seen;
END $$;
COMMENT ON FUNCTION fleetwall.rows_before IS 'The rows of a table without the changes that the settings name: as of a time, as a snapshot saw them, or as if a transaction or a change had not been';
