-- $1 number, $2 name, $3 text of a migration that was applied.
INSERT INTO fleetwall.migration (number, name, digest)
VALUES ($1::integer, $2, sha256(convert_to($3, 'UTF8')))
