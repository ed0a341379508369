-- $1 a run, $2 machines and $3 fences, joined by commas: these claims are given back, as if they had not been; of a run that was superseded they are
-- skipped.
WITH given AS (
    UPDATE fleetwall.push_work AS w
       SET state = CASE r.state WHEN 'superseded' THEN 'skipped' ELSE 'waiting' END, message = CASE r.state WHEN 'superseded' THEN r.reason ELSE w.message END,
           lease = NULL, due = '-infinity', attempt = w.attempt - 1, at = now()
      FROM fleetwall.push_run AS r, unnest(string_to_array($2, ','), string_to_array($3, ',')::bigint[]) AS c (machine, fence)
     WHERE r.number = $1::bigint AND w.run = r.number AND w.machine = c.machine AND w.fence = c.fence AND w.lease IS NOT NULL
    RETURNING w.machine, w.fence)
UPDATE fleetwall.push_machine AS p SET attempts = greatest(p.attempts - 1, 0)
  FROM given WHERE p.machine = given.machine AND p.fence = given.fence
