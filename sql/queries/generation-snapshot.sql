-- $1 number, $2 its digest in hexadecimal digits: the snapshot of the inventory that it was made from, or null; no row if the database does not know it.
SELECT snapshot FROM fleetwall.generation WHERE number = $1::bigint AND digest = decode($2, 'hex')
