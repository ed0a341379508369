-- $1: names; $2: the machine of a role machine:NAME, which never changes; $3 … $7: what the columns become.
UPDATE fleetwall.role AS r
   SET description = new.description, owner = new.owner, selector = new.selector, egress = new.egress, document = new.document
  FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::jsonb[], $6::text[], $7::text[])
       AS new (name, machine, description, owner, selector, egress, document)
 WHERE r.name = new.name COLLATE "C"
