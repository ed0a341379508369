-- Takes away runs that ended, but for the latest hundred with a million machines.
DELETE FROM fleetwall.push_run WHERE number IN (
    SELECT number
      FROM (SELECT number, sum(items) OVER latest AS machines, row_number() OVER latest AS place
              FROM fleetwall.push_run WHERE state IN ('done', 'superseded')
            WINDOW latest AS (ORDER BY number DESC)) AS old
     WHERE place > 100 OR (machines > 1000000 AND place > 1))
   AND NOT EXISTS (SELECT FROM fleetwall.push_work WHERE run = number AND state = 'claimed' AND lease > now())
