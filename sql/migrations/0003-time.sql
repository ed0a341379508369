-- Looking back: the rows of a table as they were before some changes. What the history keeps of a row is enough to bring it back.

CREATE FUNCTION fleetwall.history_key(kind text, data jsonb) RETURNS jsonb
    LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS $$
    SELECT CASE kind
        WHEN 'address' THEN jsonb_build_array(data -> 'machine', data -> 'address')
        WHEN 'member' THEN jsonb_build_array(data -> 'role', data -> 'machine')
        WHEN 'network_prefix' THEN jsonb_build_array(data -> 'network', data -> 'prefix')
        WHEN 'service_port' THEN jsonb_build_array(data -> 'service', data -> 'protocol')
        WHEN 'rule' THEN jsonb_build_array(data -> 'role', data -> 'rule')
        ELSE data -> 'name' END
$$;
COMMENT ON FUNCTION fleetwall.history_key IS 'Which row it is that the history speaks of: its name, or the names that make it one';

-- Three settings say which changes are taken back: fleetwall.at (all that came after that time), fleetwall.without_transaction,
-- fleetwall.without_change. One of them must be set, so that nobody reads the present by mistake.
CREATE FUNCTION fleetwall.rows_before(wanted_kind text) RETURNS SETOF jsonb
    LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    moment timestamptz := nullif(current_setting('fleetwall.at', true), '')::timestamptz;
    one_transaction bigint := nullif(current_setting('fleetwall.without_transaction', true), '')::bigint;
    one_change bigint := nullif(current_setting('fleetwall.without_change', true), '')::bigint;
BEGIN
    IF moment IS NULL AND one_transaction IS NULL AND one_change IS NULL THEN
        RAISE EXCEPTION 'before what? None of the settings fleetwall.at, without_transaction and without_change is there';
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
            ORDER BY side.key, h.number, side.place)
        SELECT now_there.data
        FROM (SELECT %2$s AS data FROM fleetwall.%1$I AS r) AS now_there
        WHERE now_there.data IS NOT NULL
          AND NOT EXISTS (SELECT FROM later WHERE later.key = fleetwall.history_key(%1$L, now_there.data))
        UNION ALL
        SELECT later.data FROM later WHERE later.data IS NOT NULL$query$,
        wanted_kind, CASE wanted_kind WHEN 'rule' THEN 'fleetwall.history_rule(r)' ELSE 'to_jsonb(r)' END)
    USING moment, one_transaction, one_change;
END $$;
COMMENT ON FUNCTION fleetwall.rows_before IS 'The rows of a table without the changes that the settings name: as of a time, or as if a transaction or a change had not been';
