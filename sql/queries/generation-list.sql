-- $1 the lowest number that is wanted: what the database knows of each generation, and who needs it.
SELECT g.number, encode(g.digest, 'hex'), g.who, g.of,
       (SELECT count(*) FROM fleetwall.machine_generation AS m WHERE m.generation = g.number),
       (SELECT string_agg(p.holder, E'\n' ORDER BY p.holder COLLATE "C") FROM fleetwall.generation_pin AS p WHERE p.generation = g.number)
  FROM fleetwall.generation AS g
 WHERE g.number >= $1::bigint
 ORDER BY g.number
