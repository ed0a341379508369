-- The migrations that were applied, by number.
SELECT number, name, encode(digest, 'hex')
FROM fleetwall.migration
ORDER BY number
