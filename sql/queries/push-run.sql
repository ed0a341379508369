-- $1 a run, or null: the one that is running, else the latest if it was stopped. Times in seconds since 1970.
SELECT r.number, r.generation, r.state, r.reason, r.who, floor(extract(epoch FROM r.started))::bigint, floor(extract(epoch FROM r.ended))::bigint,
       r.wave, r.waves, r.max_failures, r.items - c.claimed - c.confirmed - c.failed - c.skipped, c.claimed, c.confirmed, c.failed, c.skipped
  FROM fleetwall.push_run AS r
 CROSS JOIN LATERAL (
       SELECT (SELECT count(*) FROM fleetwall.push_work WHERE run = r.number AND state = 'claimed') AS claimed,
              (SELECT coalesce(sum(confirmed), 0) FROM fleetwall.push_tally WHERE run = r.number) AS confirmed,
              (SELECT count(*) FROM fleetwall.push_work WHERE run = r.number AND state = 'failed') AS failed,
              (SELECT count(*) FROM fleetwall.push_work WHERE run = r.number AND state = 'skipped') AS skipped) AS c
 WHERE r.number = coalesce($1::bigint, (SELECT number FROM fleetwall.push_run WHERE state IN ('running', 'stopped') ORDER BY state = 'stopped', number DESC LIMIT 1))
