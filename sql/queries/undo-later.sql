-- $1 a transaction or null, $2 a change or null: rows that are not now what it made of them, with the change that did that. A row that was
-- changed again and then put back is as it was. Nulls count for
-- nothing: a column that came later is missing in what was kept before.
WITH side AS (
    SELECT h.number, h.transaction, h.kind, one.key, one.data, one.place
      FROM fleetwall.history AS h
     CROSS JOIN LATERAL (
           SELECT fleetwall.history_key(h.kind, h.before) AS key, NULL::jsonb AS data, 1 AS place WHERE h.before IS NOT NULL
           UNION ALL
           SELECT fleetwall.history_key(h.kind, h.after), h.after, 2 WHERE h.after IS NOT NULL) AS one
     WHERE h.number >= (SELECT min(number) FROM fleetwall.history WHERE transaction = $1::bigint OR number = $2::bigint)),
made AS (
    SELECT DISTINCT ON (kind, key) kind, key, data
      FROM side
     WHERE transaction = $1::bigint OR number = $2::bigint
     ORDER BY kind, key, number DESC, place DESC),
latest AS (
    SELECT DISTINCT ON (kind, key) kind, key, data, number
      FROM side
     ORDER BY kind, key, number DESC, place DESC)
SELECT latest.number, (SELECT c.what FROM fleetwall.change AS c WHERE c.number = latest.number)
  FROM made
  JOIN latest USING (kind, key)
 WHERE jsonb_strip_nulls(latest.data) IS DISTINCT FROM jsonb_strip_nulls(made.data)
 ORDER BY latest.number DESC
 LIMIT 5
