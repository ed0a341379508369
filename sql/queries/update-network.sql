-- $1: names; $2: the owners of the documents that own them.
UPDATE fleetwall.network AS n
   SET document = new.document
  FROM unnest($1::text[], $2::text[]) AS new (name, document)
 WHERE n.name = new.name COLLATE "C"
