-- $1 days: enabled rules that end within them, the next first.
SELECT r.role, left(encode(r.digest, 'hex'), 12), r.text,
       to_char(r.until AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"'), r.ticket, r.owner,
       (SELECT count(*) FROM fleetwall.role_member AS m WHERE m.role = r.role)
  FROM fleetwall.rule AS r
 WHERE r.enabled AND r.until > now() AND r.until <= now() + make_interval(days => $1::integer)
 ORDER BY r.until, r.role COLLATE "C", r.text COLLATE "C"
