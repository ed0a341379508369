-- $1 number: the digest of that generation in hexadecimal digits; no row if it is not known.
SELECT encode(digest, 'hex') FROM fleetwall.generation WHERE number = $1::bigint
