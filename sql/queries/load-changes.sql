-- Which objects the history names since the snapshot $1, by their names before and after; transactions as in news. `address` and `member` name the
-- machine whose they are. A row `everything` says that this list would not be the whole: the snapshot is not of this history, or there are $2 changes
-- or more. No VALUES: the server would compile a list of them anew for each row.
WITH unseen AS MATERIALIZED (
    SELECT number FROM fleetwall.history_transaction
     WHERE xact >= pg_snapshot_xmax($1::pg_snapshot) AND xact < pg_snapshot_xmax(pg_current_snapshot())
    UNION
    SELECT t.number FROM pg_snapshot_xip($1::pg_snapshot) AS open JOIN fleetwall.history_transaction AS t ON t.xact = open),
changes AS MATERIALIZED (
    SELECT h.kind, h.before, h.after FROM fleetwall.history AS h
     WHERE h.transaction >= (SELECT min(number) FROM unseen) AND h.transaction IN (SELECT number FROM unseen)
     LIMIT $2::bigint),
sides AS (
    SELECT kind, before AS row FROM changes WHERE before IS NOT NULL
     UNION ALL
    SELECT kind, after FROM changes WHERE after IS NOT NULL),
objects AS (
    SELECT CASE kind WHEN 'rule' THEN 'role' WHEN 'network_prefix' THEN 'network' WHEN 'service_port' THEN 'service' ELSE kind END AS kind,
           row ->> CASE kind WHEN 'address' THEN 'machine' WHEN 'member' THEN 'machine' WHEN 'rule' THEN 'role' WHEN 'network_prefix' THEN 'network'
               WHEN 'service_port' THEN 'service' ELSE 'name' END AS name
      FROM sides
     UNION ALL
    -- The machine of a role machine:NAME is its member.
    SELECT 'machine', row ->> 'machine' FROM sides WHERE kind = 'role' AND row ->> 'machine' IS NOT NULL)
SELECT DISTINCT kind, name COLLATE "C" AS name
  FROM objects
 UNION ALL
SELECT 'everything', '' WHERE pg_snapshot_xmax($1::pg_snapshot) > pg_snapshot_xmax(pg_current_snapshot()) OR (SELECT count(*) FROM changes) >= $2::bigint
 ORDER BY kind, name
