-- $1 machines joined by commas; $2 their positions in hexadecimal digits, joined likewise; $3 what was found, joined by newlines: nothing where there is
-- nothing, and ? where it could not be told. They have been looked at for drift. What is said of another position than the one that is confirmed now, or
-- while somebody pushes there, says nothing.
WITH seen AS MATERIALIZED (
    SELECT * FROM unnest(string_to_array($1, ','), string_to_array($2, ','), string_to_array($3, E'\n')) AS s (machine, position, found)),
told AS MATERIALIZED (
    SELECT s.machine, nullif(s.found, '') AS found
      FROM seen AS s JOIN fleetwall.push_machine AS p ON p.machine = s.machine
     WHERE s.found IS DISTINCT FROM '?' AND encode(p.confirmed_position, 'hex') = s.position
       AND NOT EXISTS (SELECT FROM fleetwall.push_work AS busy WHERE busy.machine = s.machine AND busy.lease > now()))
UPDATE fleetwall.push_machine AS p
   SET drift_at = now(),
       drift = CASE WHEN told.machine IS NULL THEN p.drift ELSE told.found END,
       drifted_at = CASE WHEN told.machine IS NULL OR (p.drift IS NOT NULL AND told.found IS NOT NULL) THEN p.drifted_at
                         WHEN told.found IS NOT NULL THEN now() END,
       whole = p.whole AND NOT (told.machine IS NOT NULL AND told.found IS NULL)
  FROM seen LEFT JOIN told ON told.machine = seen.machine
 WHERE p.machine = seen.machine
