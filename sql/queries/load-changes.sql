-- Which objects the history names since the snapshot $1, by their names before and after; transactions as in news. A row `everything` says that this
-- list would not be the whole: the snapshot is not of this history, or there are $2 changes or more.
WITH unseen AS MATERIALIZED (
    SELECT number FROM fleetwall.history_transaction
     WHERE xact >= pg_snapshot_xmax($1::pg_snapshot) AND xact < pg_snapshot_xmax(pg_current_snapshot())
    UNION
    SELECT t.number FROM pg_snapshot_xip($1::pg_snapshot) AS open JOIN fleetwall.history_transaction AS t ON t.xact = open),
changes AS MATERIALIZED (
    SELECT h.kind, h.before, h.after FROM fleetwall.history AS h
     WHERE h.transaction >= (SELECT min(number) FROM unseen) AND h.transaction IN (SELECT number FROM unseen)
     LIMIT $2::bigint)
SELECT DISTINCT object.kind, object.name COLLATE "C" AS name
  FROM changes
 CROSS JOIN LATERAL (VALUES (before), (after)) AS side (row)
 CROSS JOIN LATERAL (VALUES
       (CASE kind WHEN 'address' THEN 'machine' WHEN 'member' THEN 'machine' WHEN 'rule' THEN 'role' WHEN 'network_prefix' THEN 'network'
            WHEN 'service_port' THEN 'service' ELSE kind END,
        row ->> CASE kind WHEN 'address' THEN 'machine' WHEN 'member' THEN 'machine' WHEN 'rule' THEN 'role' WHEN 'network_prefix' THEN 'network'
            WHEN 'service_port' THEN 'service' ELSE 'name' END),
       -- The machine of a role machine:NAME is its member.
       ('machine', CASE kind WHEN 'role' THEN row ->> 'machine' END)) AS object (kind, name)
 WHERE object.name IS NOT NULL
 UNION ALL
SELECT 'everything', '' WHERE pg_snapshot_xmax($1::pg_snapshot) > pg_snapshot_xmax(pg_current_snapshot()) OR (SELECT count(*) FROM changes) >= $2::bigint
 ORDER BY kind, name
