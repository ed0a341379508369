-- $1 a transaction or null, $2 a change or null: what came to be with it and would go, while rows that others made since are a part of it;
-- with the newest change that made such a row, and whether that was done together with it.
WITH wanted AS (
    SELECT number, transaction, kind, before, after
      FROM fleetwall.history
     WHERE transaction = $1::bigint OR number = $2::bigint),
made AS (
    SELECT DISTINCT ON (kind, after ->> 'name') kind, after ->> 'name' AS name, number, transaction
      FROM wanted
     WHERE kind IN ('machine', 'role', 'network', 'service') AND before IS NULL
     ORDER BY kind, after ->> 'name', number),
latest AS (
    SELECT DISTINCT ON (kind, key) kind, key, data, number, transaction
      FROM (SELECT h.kind, fleetwall.history_key(h.kind, coalesce(h.after, h.before)) AS key, h.after AS data, h.number, h.transaction
              FROM fleetwall.history AS h
             WHERE h.number >= (SELECT min(number) FROM made)
               AND h.kind IN ('address', 'member', 'rule', 'network_prefix', 'service_port')) AS side
     ORDER BY kind, key, number DESC)
SELECT made.kind, made.name,
       CASE latest.kind WHEN 'member' THEN CASE made.kind WHEN 'role' THEN 'machine ' || (latest.data ->> 'machine')
                                                          ELSE 'role ' || (latest.data ->> 'role') END
                        WHEN 'rule' THEN 'the rule ''' || (latest.data ->> 'rule') || ''''
                        WHEN 'address' THEN 'the address ' || (latest.data ->> 'address')
                        WHEN 'network_prefix' THEN 'the prefix ' || (latest.data ->> 'prefix')
                        ELSE 'its ports' END,
       latest.number, latest.transaction = made.transaction
  FROM made
  JOIN latest ON latest.data ->> made.kind = made.name
-- A row that went and came back as it was is still of the change that made it first.
 WHERE NOT EXISTS (SELECT FROM wanted
                    WHERE wanted.number = latest.number OR (wanted.kind = latest.kind AND wanted.after = latest.data))
 ORDER BY made.kind, made.name, latest.number DESC
 LIMIT 5
