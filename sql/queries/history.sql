-- $1 a word of what changed (a name, an address, a rule id; of a machine its own role's, too), or null; $2 not before (seconds since 1970), or null; $3 who, or null; $4 how many; $5 not after, or null.
SELECT c.number, c.transaction, to_char(c.at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"') AS at, c.who, c.os_user, c.ticket,
       c.operation, c.what, c.before, c.after
  FROM fleetwall.change AS c
 WHERE ($1::text IS NULL OR string_to_array(c.what, ' ') && ARRAY[$1, 'machine:' || $1] OR $1 = c.what)
   AND ($2::bigint IS NULL OR c.at >= to_timestamp($2::bigint))
   AND ($3::text IS NULL OR c.who = $3 OR c.os_user = $3)
   AND ($5::bigint IS NULL OR c.at <= to_timestamp($5::bigint))
 ORDER BY c.number DESC
 LIMIT $4::bigint
