-- The last migration that was applied, where there are any and we may read them. (number, encoding)
SELECT max(number), current_setting('server_encoding')
FROM fleetwall.migration
