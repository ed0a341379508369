-- Is the schema there, and may we read it? (encoding, there, readable)
SELECT current_setting('server_encoding'), t.oid IS NOT NULL, has_schema_privilege(n.oid, 'USAGE') AND has_table_privilege(t.oid, 'SELECT')
FROM (VALUES (1)) AS one
LEFT JOIN pg_namespace AS n ON n.nspname = 'fleetwall'
LEFT JOIN pg_class AS t ON t.relnamespace = n.oid AND t.relname = 'migration'
