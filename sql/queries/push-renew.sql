-- $1 a run, $2 machines and $3 fences, joined by commas, $4 seconds: lengthens the leases of these claims. A row for each that is still held so: where
-- another run has claimed the machine since, it is not.
UPDATE fleetwall.push_work AS w SET lease = now() + make_interval(secs => $4::integer)
  FROM unnest(string_to_array($2, ','), string_to_array($3, ',')::bigint[]) AS c (machine, fence)
  JOIN fleetwall.push_machine AS p ON p.machine = c.machine AND p.fence = c.fence
 WHERE w.run = $1::bigint AND w.machine = c.machine AND w.fence = c.fence AND w.lease IS NOT NULL
RETURNING w.machine, w.fence
