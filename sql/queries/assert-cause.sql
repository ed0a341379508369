-- $1 lines of a number, a tab, and what a change may be of: "rule mysql 0123456789ab", "address db1" (any of its addresses), "member * db1" (any role
-- of it): of each number the latest transactions with a change of these that makes a difference to packets, and the last such change of each; no row
-- where there is none. $2 not after (seconds since 1970), or null; $3 of the last so many changes alone, or null; $4 so many transactions.
-- `before` and `after` are snapshots that saw what came before the transaction, and what came up to it.
WITH wanted AS MATERIALIZED (
    SELECT split_part(line, E'\t', 1)::integer AS place, split_part(line, E'\t', 2) AS what
      FROM unnest(string_to_array($1, E'\n')) AS line),
changes AS MATERIALIZED (
    SELECT c.transaction, c.xact, c.number, c.at, c.who, c.os_user, c.ticket, c.operation, c.what, c.kind, split_part(c.what, ' ', 2) AS name, split_part(c.what, ' ', 3) AS other
      FROM fleetwall.change AS c
     WHERE ($2::bigint IS NULL OR c.at < to_timestamp($2::bigint + 1))
       AND c.number > CASE WHEN $3::bigint IS NULL THEN 0 ELSE (SELECT max(number) FROM fleetwall.history) - $3::bigint END
       AND (c.operation <> 'update' OR CASE c.kind
               WHEN 'machine' THEN ROW (c.before -> 'labels', c.before -> 'enabled', c.before -> 'enforcement', c.before -> 'ssh_port')
                   IS DISTINCT FROM ROW (c.after -> 'labels', c.after -> 'enabled', c.after -> 'enforcement', c.after -> 'ssh_port')
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
ranked AS (SELECT f.*, row_number() OVER (PARTITION BY f.place ORDER BY f.number DESC) AS rank FROM found AS f)
SELECT r.place, r.number, to_char(r.at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"') AS at, r.who, r.os_user, r.ticket, r.operation, r.what,
       r.xact::text || ':' || r.xact::text || ':' AS before,
       (r.xact::text::numeric + 1)::text || ':' || (r.xact::text::numeric + 1)::text || ':' AS after
  FROM ranked AS r
 WHERE r.rank <= $4::bigint
 ORDER BY r.place, r.rank
