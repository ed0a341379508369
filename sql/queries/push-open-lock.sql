-- The runs that are running or stopped, the latest first; nobody claims from them, or ends them, until the transaction ends.
SELECT number, generation, state FROM fleetwall.push_run WHERE state IN ('running', 'stopped') ORDER BY number DESC FOR NO KEY UPDATE
