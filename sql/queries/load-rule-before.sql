-- Rules by their text, which is what the history keeps, without the changes that the settings of fleetwall.rows_later name.
WITH later AS MATERIALIZED (SELECT key ->> 0 AS role, key ->> 1 AS rule, data FROM fleetwall.rows_later('rule'))
SELECT u.role, u.text, u.enabled, u.ticket, u.owner, u.comment
  FROM fleetwall.rule AS u
 WHERE u.text IS NOT NULL AND NOT EXISTS (SELECT FROM later WHERE later.role = u.role AND later.rule = u.text)
UNION ALL
SELECT data ->> 'role', data ->> 'rule', (data ->> 'enabled')::boolean, data ->> 'ticket', data ->> 'owner', data ->> 'comment'
  FROM later
 WHERE data IS NOT NULL
