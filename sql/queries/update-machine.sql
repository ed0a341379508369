-- $1: names; $2 … $8: what the columns become.
UPDATE fleetwall.machine AS m
   SET enabled = new.enabled, mode = new.mode, enforcement = new.enforcement, ssh_port = new.ssh_port, ssh_host = new.ssh_host,
       labels = new.labels, document = new.document
  FROM unnest($1::text[], $2::boolean[], $3::text[], $4::text[], $5::integer[], $6::text[], $7::jsonb[], $8::text[])
       AS new (name, enabled, mode, enforcement, ssh_port, ssh_host, labels, document)
 WHERE m.name = new.name COLLATE "C"
