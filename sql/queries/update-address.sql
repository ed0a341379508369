-- $1, $2: machines and addresses; $3: their labels.
UPDATE fleetwall.address AS a
   SET label = new.label
  FROM unnest($1::text[], $2::inet[], $3::text[]) AS new (machine, address, label)
 WHERE a.machine = new.machine COLLATE "C" AND a.address = new.address
