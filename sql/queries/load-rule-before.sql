-- Rules by their text, which is what the history keeps, without the changes that the settings of fleetwall.rows_before name.
SELECT data ->> 'role', data ->> 'rule', (data ->> 'enabled')::boolean, data ->> 'ticket', data ->> 'owner', data ->> 'comment'
  FROM fleetwall.rows_before('rule') AS data
