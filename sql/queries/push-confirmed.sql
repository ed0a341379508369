-- $1 run, $2 machine, $3 fence, $4 machine-id or null, $5 digest of its script in hexadecimal digits or null, $6 was it sent all of it? It has what the
-- claim says, and what it had before is kept for rollback if it was something else. One that went back is frozen by the same stroke. One row if the claim
-- is still that one.
WITH ours AS MATERIALIZED (
    SELECT w.run, w.machine, w.fence, w.ruleset, w.position, w.stay, r.generation, r.who
      FROM fleetwall.push_work AS w JOIN fleetwall.push_machine AS p ON p.machine = w.machine JOIN fleetwall.push_run AS r ON r.number = w.run
     WHERE w.run = $1::bigint AND w.machine = $2 AND w.fence = $3::bigint AND w.lease IS NOT NULL AND p.fence = w.fence
       FOR UPDATE OF w, p),
held AS (
    INSERT INTO fleetwall.machine_generation (machine, generation) SELECT machine, generation FROM ours
    ON CONFLICT (machine) DO UPDATE SET generation = excluded.generation, at = excluded.at),
frozen AS (
    INSERT INTO fleetwall.machine_freeze (machine, reason, who)
    SELECT ours.machine, ours.stay, ours.who FROM ours JOIN fleetwall.machine AS m ON m.name = ours.machine WHERE ours.stay IS NOT NULL
    ON CONFLICT (machine) DO NOTHING),
known AS (
    UPDATE fleetwall.push_machine AS p
       SET before_generation = CASE WHEN p.confirmed_position <> ours.position THEN p.confirmed_generation ELSE p.before_generation END,
           before_ruleset = CASE WHEN p.confirmed_position <> ours.position THEN p.confirmed_ruleset ELSE p.before_ruleset END,
           before_position = CASE WHEN p.confirmed_position <> ours.position THEN p.confirmed_position ELSE p.before_position END,
           before_at = CASE WHEN p.confirmed_position <> ours.position THEN p.confirmed_at ELSE p.before_at END,
           offered_generation = ours.generation, offered_ruleset = ours.ruleset, offered_position = ours.position,
           offered_at = CASE WHEN p.offered_generation = ours.generation AND p.offered_position = ours.position THEN p.offered_at ELSE now() END,
           confirmed_generation = ours.generation, confirmed_ruleset = ours.ruleset, confirmed_position = ours.position, confirmed_at = now(),
           machine_id = coalesce($4, p.machine_id), script = coalesce(decode($5, 'hex'), p.script),
           attempts = 0, failure = NULL, message = NULL, failed_at = NULL, needs_person = false,
           whole = p.whole AND NOT $6::boolean,
           drift = CASE WHEN $6::boolean THEN NULL ELSE p.drift END, drifted_at = CASE WHEN $6::boolean THEN NULL ELSE p.drifted_at END
      FROM ours WHERE p.machine = ours.machine),
tallied AS (
    INSERT INTO fleetwall.push_tally AS t (run, slot, confirmed) SELECT run, fence % 16, 1 FROM ours
    ON CONFLICT (run, slot) DO UPDATE SET confirmed = t.confirmed + 1)
UPDATE fleetwall.push_work AS w SET state = 'confirmed', lease = NULL, failure = NULL, message = NULL, at = now()
  FROM ours WHERE w.run = ours.run AND w.machine = ours.machine
RETURNING w.machine
