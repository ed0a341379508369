-- $1 lines of a number, a tab, and what a change may be of, as for assert-cause; $2 a snapshot: changes that it did not see; $3 a snapshot, or null:
-- those alone that it saw. Of each number the latest transactions with such a change, at most $4, and the last such change of each; `all_of_them` counts
-- the transactions.
WITH wanted AS MATERIALIZED (
    SELECT split_part(line, E'\t', 1)::integer AS place, split_part(line, E'\t', 2) AS what
      FROM unnest(string_to_array($1, E'\n')) AS line),
between_them AS MATERIALIZED (
    SELECT t.number
      FROM fleetwall.history_transaction AS t
     WHERE NOT pg_visible_in_snapshot(t.xact, $2::pg_snapshot) AND ($3::text IS NULL OR pg_visible_in_snapshot(t.xact, $3::pg_snapshot))),
changes AS MATERIALIZED (
    SELECT c.transaction, c.number, c.at, c.who, c.os_user, c.ticket, c.operation, c.what, c.kind, split_part(c.what, ' ', 2) AS name, split_part(c.what, ' ', 3) AS other
      FROM fleetwall.change AS c
     WHERE c.transaction >= (SELECT min(number) FROM between_them) AND c.transaction IN (SELECT number FROM between_them)
       AND (c.operation <> 'update' OR CASE c.kind
               WHEN 'machine' THEN ROW (c.before -> 'labels', c.before -> 'enabled', c.before -> 'enforcement', c.before -> 'ssh_port', c.before -> 'mode')
                   IS DISTINCT FROM ROW (c.after -> 'labels', c.after -> 'enabled', c.after -> 'enforcement', c.after -> 'ssh_port', c.after -> 'mode')
               WHEN 'role' THEN ROW (c.before -> 'selector', c.before -> 'egress') IS DISTINCT FROM ROW (c.after -> 'selector', c.after -> 'egress')
               WHEN 'rule' THEN ROW (c.before -> 'rule', c.before -> 'enabled') IS DISTINCT FROM ROW (c.after -> 'rule', c.after -> 'enabled')
               WHEN 'service' THEN false
               WHEN 'network' THEN false
               ELSE true END)),
found AS (
    SELECT DISTINCT ON (w.place, c.transaction) w.place, c.*
      FROM changes AS c
     CROSS JOIN LATERAL (VALUES (c.what), (c.kind || ' ' || c.name), (c.kind || ' * ' || c.other)) AS key (what)
      JOIN wanted AS w ON w.what = key.what
     ORDER BY w.place, c.transaction, c.number DESC),
ranked AS (SELECT f.*, row_number() OVER (PARTITION BY f.place ORDER BY f.number DESC) AS rank, count(*) OVER (PARTITION BY f.place) AS all_of_them FROM found AS f)
SELECT r.place, r.number, to_char(r.at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"') AS at, r.who, r.os_user, r.ticket, r.operation, r.what, r.all_of_them
  FROM ranked AS r
 WHERE r.rank <= $4::bigint
 ORDER BY r.place, r.rank
