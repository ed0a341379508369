-- $1: names; $2 … $7: what the columns become.
UPDATE fleetwall.machine AS m
   SET enabled = new.enabled, mode = new.mode, enforcement = new.enforcement, ssh_port = new.ssh_port, ssh_host = new.ssh_host,
       labels = new.labels
  FROM unnest($1::text[], $2::boolean[], $3::text[], $4::text[], $5::integer[], $6::text[], $7::jsonb[])
       AS new (name, enabled, mode, enforcement, ssh_port, ssh_host, labels)
 WHERE m.name = new.name COLLATE "C"
