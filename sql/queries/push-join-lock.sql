-- $1 a run, $2 machines joined by commas: nobody changes what the run has to do for them until the transaction ends.
SELECT FROM fleetwall.push_work WHERE run = $1::bigint AND machine = ANY (string_to_array($2, ',')) ORDER BY machine FOR UPDATE
