-- $1 a new run, with its machines: all that was open of the same or an older generation gives way to it. What was claimed there and is still held goes
-- on. A machine that was to go back, and to stay there, stays as it is, unless this run takes it back: a person says how it goes on.
WITH newer AS MATERIALIZED (SELECT number, generation, rollback FROM fleetwall.push_run WHERE number = $1::bigint),
older AS MATERIALIZED (
    SELECT r.number FROM fleetwall.push_run AS r, newer WHERE r.number <> newer.number AND r.state IN ('running', 'stopped') AND r.generation <= newer.generation),
frozen AS (
    INSERT INTO fleetwall.machine_freeze (machine, reason)
    SELECT DISTINCT w.machine, format('run %s, which was to take it back, gave way to run %s', older.number, newer.number)
      FROM older, newer, fleetwall.push_work AS w, fleetwall.machine AS m
     WHERE w.run = older.number AND w.state IN ('waiting', 'claimed') AND w.stay IS NOT NULL AND m.name = w.machine
       AND NOT (newer.rollback AND EXISTS (SELECT FROM fleetwall.push_work AS n WHERE n.run = newer.number AND n.machine = w.machine))
    ON CONFLICT (machine) DO NOTHING),
unpinned AS (
    DELETE FROM fleetwall.generation_pin AS p USING older WHERE p.holder = 'push run ' || older.number),
skipped AS (
    UPDATE fleetwall.push_work AS w SET state = 'skipped', lease = NULL, at = now(), message = 'superseded by run ' || newer.number
      FROM older, newer
     WHERE w.run = older.number AND (w.state = 'waiting' OR (w.state = 'claimed' AND w.lease <= now())))
UPDATE fleetwall.push_run AS r SET state = 'superseded', ended = now(), reason = format('run %s of generation %s took its place', newer.number, newer.generation)
  FROM older, newer WHERE r.number = older.number
