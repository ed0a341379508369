-- $1 a change: its transaction, what it changed, and the number of changes of that transaction; no row if there is none.
SELECT c.transaction, c.what, (SELECT count(*) FROM fleetwall.history AS h WHERE h.transaction = c.transaction)
  FROM fleetwall.change AS c WHERE c.number = $1::bigint
