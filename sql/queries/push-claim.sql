-- $1 run, $2 its open wave, $3 how many at most, $4 the pusher, $5 seconds: claims for so long what is due, and what nobody holds any more, and skips what
-- must not be pushed to. A machine that is still held for another run is left for later. A row for each that was looked at; fence null: it was skipped.
WITH ended AS MATERIALIZED (
    SELECT machine FROM fleetwall.push_work
     WHERE run = $1::bigint AND wave = $2::integer AND state = 'claimed' AND lease <= now()
     ORDER BY lease LIMIT $3::bigint FOR UPDATE SKIP LOCKED),
due AS MATERIALIZED (
    SELECT w.machine FROM fleetwall.push_work AS w
     WHERE w.run = $1::bigint AND w.wave = $2::integer AND w.state = 'waiting' AND w.due <= now()
       AND NOT EXISTS (SELECT FROM fleetwall.push_work AS busy
                        WHERE busy.machine = w.machine AND busy.lease > now())
     ORDER BY w.due, w.machine LIMIT $3::bigint FOR UPDATE OF w SKIP LOCKED),
looked AS MATERIALIZED (
    SELECT c.machine, CASE WHEN m.name IS NULL THEN 'it is not in the inventory any more' WHEN NOT m.enabled THEN 'it is disabled'
                           WHEN f.machine IS NOT NULL THEN left(regexp_replace(format('frozen by %s: %s', f.who, f.reason), '[\x01-\x1f\x7f]', ' ', 'g'), 1000) END AS why
      FROM (SELECT machine FROM ended UNION ALL SELECT machine FROM due LIMIT $3::bigint) AS c
      LEFT JOIN fleetwall.machine AS m ON m.name = c.machine
      LEFT JOIN fleetwall.machine_freeze AS f ON f.machine = c.machine),
skipped AS (
    UPDATE fleetwall.push_work AS w SET state = 'skipped', message = looked.why, lease = NULL, at = now()
      FROM looked WHERE looked.why IS NOT NULL AND w.run = $1::bigint AND w.machine = looked.machine),
claimed AS (
    UPDATE fleetwall.push_work AS w
       SET state = 'claimed', fence = nextval('fleetwall.push_fence'), pusher = $4, lease = now() + make_interval(secs => $5::integer), attempt = attempt + 1, at = now()
      FROM looked WHERE looked.why IS NULL AND w.run = $1::bigint AND w.machine = looked.machine
    RETURNING w.*),
known AS (
    INSERT INTO fleetwall.push_machine AS p (machine, fence, attempts) SELECT machine, fence, 1 FROM claimed ORDER BY machine
    ON CONFLICT (machine) DO UPDATE SET fence = excluded.fence, attempts = p.attempts + 1)
SELECT looked.machine, c.wave, encode(c.ruleset, 'hex'), encode(c.position, 'hex'), c.adopt, c.cut, c.rollback, c.fence, c.attempt
  FROM looked LEFT JOIN claimed AS c ON c.machine = looked.machine
 ORDER BY looked.machine COLLATE "C"
