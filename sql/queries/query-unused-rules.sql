-- Rules that no machine gets: of roles without an enabled, managed member, disabled, or ended.
SELECT r.role, left(encode(r.digest, 'hex'), 12), r.text,
       to_char(r.until AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"'), r.ticket, r.owner,
       (SELECT count(*) FROM fleetwall.role_member AS m WHERE m.role = r.role)
  FROM fleetwall.rule AS r
 WHERE NOT r.enabled OR r.until <= now()
    OR NOT EXISTS (
        SELECT FROM fleetwall.role_member AS m
          JOIN fleetwall.machine AS h ON h.name = m.machine
         WHERE m.role = r.role AND h.enabled AND h.enforcement <> 'unmanaged')
 ORDER BY r.role COLLATE "C", r.text COLLATE "C"
