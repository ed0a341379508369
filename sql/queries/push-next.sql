-- $1 run, $2 its open wave: milliseconds until something of it may be due (0: it is, but held by somebody); null: all of it is final.
SELECT CASE WHEN min(at) <= now() THEN 0 ELSE ceil(extract(epoch FROM min(at) - now()) * 1000) END::bigint
  FROM (SELECT min(due) AS at FROM fleetwall.push_work WHERE run = $1::bigint AND wave = $2::integer AND state = 'waiting'
        UNION ALL
        SELECT min(lease) FROM fleetwall.push_work WHERE run = $1::bigint AND wave = $2::integer AND state = 'claimed') AS next
