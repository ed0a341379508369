-- $1: names; $2: the owners of the documents that own them.
UPDATE fleetwall.service AS s
   SET document = new.document
  FROM unnest($1::text[], $2::text[]) AS new (name, document)
 WHERE s.name = new.name COLLATE "C"
