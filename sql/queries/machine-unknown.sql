-- Those of the names $1 that no machine has.
SELECT given.name
  FROM unnest($1::text[]) AS given (name)
 WHERE NOT EXISTS (SELECT FROM fleetwall.machine AS m WHERE m.name = given.name COLLATE "C")
 ORDER BY given.name COLLATE "C"
