-- $1 a run: a later one of a newer generation, and that generation; no row if there is none.
SELECT n.number, n.generation FROM fleetwall.push_run AS n JOIN fleetwall.push_run AS r ON r.number = $1::bigint
 WHERE n.number > r.number AND n.generation > r.generation ORDER BY n.number DESC LIMIT 1
