-- $1: names; $2: built-in?
UPDATE fleetwall.service AS s
   SET builtin = new.builtin
  FROM unnest($1::text[], $2::boolean[]) AS new (name, builtin)
 WHERE s.name = new.name COLLATE "C"
