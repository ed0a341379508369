-- $1 a run: its state, the wave that is open, how many there are, how many failures a wave may have, how many this one has, how many of them were more
-- than unreachable, and why pushing is halted, or null. Whoever claims from it, or ends it, waits until the transaction ends.
WITH locked AS MATERIALIZED (SELECT * FROM fleetwall.push_run WHERE number = $1::bigint FOR NO KEY UPDATE)
SELECT r.state, r.wave, r.waves, r.max_failures, f.failed, f.more, (SELECT format('halted by %s: %s', who, reason) FROM fleetwall.push_halt WHERE NOT r.rollback)
  FROM locked AS r
 CROSS JOIN LATERAL (SELECT count(*) AS failed, count(*) FILTER (WHERE failure <> 'unreachable') AS more
                       FROM fleetwall.push_work WHERE run = r.number AND wave = r.wave AND state = 'failed' AND counts) AS f
