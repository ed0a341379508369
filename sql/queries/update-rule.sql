-- $1: keys; $2 … $5: what the columns become that are not part of the rule's text.
UPDATE fleetwall.rule AS r
   SET enabled = new.enabled, ticket = new.ticket, owner = new.owner, comment = new.comment
  FROM unnest($1::bigint[], $2::boolean[], $3::text[], $4::text[], $5::text[]) AS new (key, enabled, ticket, owner, comment)
 WHERE r.key = new.key
