-- $1 a run that is running, $2 machines, $3 their waves, $4 rulesets, $5 positions in hexadecimal digits, $6 flags (a: adopt, c: cut, else -), all joined by
-- commas: what it lacks of these is added to it, and what is final waits again; what is not final yet has these flags as well, from its next claim on.
-- Nothing of it comes before the wave that is open.
WITH wanted AS MATERIALIZED (
    SELECT * FROM unnest(string_to_array($2, ','), string_to_array($3, ',')::integer[], string_to_array($4, ','), string_to_array($5, ','), string_to_array($6, ','))
                  AS w (machine, wave, ruleset, position, flags)),
again AS MATERIALIZED (
    SELECT (o.fence % 16)::smallint AS slot, count(*) AS count FROM fleetwall.push_work AS o JOIN wanted ON wanted.machine = o.machine
     WHERE o.run = $1::bigint AND o.state = 'confirmed' GROUP BY 1),
emptied AS (DELETE FROM fleetwall.push_tally AS t USING again WHERE t.run = $1::bigint AND t.slot = again.slot AND t.confirmed = again.count),
fewer AS (
    UPDATE fleetwall.push_tally AS t SET confirmed = t.confirmed - again.count FROM again
     WHERE t.run = $1::bigint AND t.slot = again.slot AND t.confirmed > again.count),
flagged AS (
    UPDATE fleetwall.push_work AS o SET adopt = o.adopt OR w.flags LIKE '%a%', cut = o.cut OR w.flags LIKE '%c%'
      FROM wanted AS w WHERE o.run = $1::bigint AND o.machine = w.machine AND o.state IN ('waiting', 'claimed') AND w.flags <> '-'),
put AS (
    INSERT INTO fleetwall.push_work AS o (run, machine, wave, ruleset, position, adopt, cut)
    SELECT r.number, w.machine, greatest(r.wave, w.wave), decode(w.ruleset, 'hex'), decode(w.position, 'hex'), w.flags LIKE '%a%', w.flags LIKE '%c%'
      FROM wanted AS w JOIN fleetwall.push_run AS r ON r.number = $1::bigint
    ON CONFLICT (machine, run) DO UPDATE
       SET wave = excluded.wave, adopt = excluded.adopt, cut = excluded.cut, state = 'waiting', due = '-infinity',
           attempt = 0, counts = true, at = now()
     WHERE o.state IN ('confirmed', 'failed', 'skipped')
    RETURNING o.xmax = 0 AS new)
UPDATE fleetwall.push_run
   SET items = items + (SELECT count(*) FROM put WHERE new),
       waves = greatest(waves, (SELECT max(wave) + 1 FROM wanted))
 WHERE number = $1::bigint
