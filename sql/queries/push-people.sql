-- $1 a run: its machines that have failed, or failed the last time and wait, by name.
SELECT machine FROM fleetwall.push_work WHERE run = $1::bigint AND (state = 'failed' OR state = 'waiting' AND failure IS NOT NULL)
 ORDER BY machine COLLATE "C"
