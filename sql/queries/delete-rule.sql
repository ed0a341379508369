-- $1: keys. Peers go with their rules.
DELETE FROM fleetwall.rule
 WHERE key = ANY ($1::bigint[])
