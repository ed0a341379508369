-- Are the three database roles there, with what sql/grants.sql gives them?
SELECT coalesce(bool_and(granted), false) AND count(*) FILTER (WHERE kind = 'role') = 3
FROM (
    SELECT 'role' AS kind, pg_has_role(r.oid, reader.oid, 'USAGE') AND has_schema_privilege(r.oid, 'fleetwall', 'USAGE') AS granted
    FROM pg_roles AS r JOIN pg_roles AS reader ON reader.rolname = 'fleetwall_reader'
    WHERE r.rolname IN ('fleetwall_reader', 'fleetwall_editor', 'fleetwall_operator')
    UNION ALL
    SELECT 'read', has_table_privilege(r.oid, c.oid, 'SELECT')
    FROM pg_roles AS r, pg_class AS c
    WHERE r.rolname = 'fleetwall_reader' AND c.relnamespace = 'fleetwall'::regnamespace AND c.relkind IN ('r', 'v')
    UNION ALL
    SELECT 'edit', has_table_privilege(r.oid, c.oid, 'DELETE') AND has_any_column_privilege(r.oid, c.oid, 'INSERT')
        AND has_any_column_privilege(r.oid, c.oid, 'UPDATE')
    FROM pg_roles AS r, pg_class AS c
    WHERE r.rolname = 'fleetwall_editor' AND c.relnamespace = 'fleetwall'::regnamespace
      AND c.relname IN ('machine', 'address', 'role', 'member', 'network', 'network_prefix', 'service', 'service_port', 'rule', 'rule_peer',
          'machine_freeze', 'probe')
    UNION ALL
    SELECT 'lint', has_table_privilege(r.oid, c.oid, 'DELETE') AND has_any_column_privilege(r.oid, c.oid, 'INSERT')
    FROM pg_roles AS r, pg_class AS c
    WHERE r.rolname IN ('fleetwall_editor', 'fleetwall_operator') AND c.relnamespace = 'fleetwall'::regnamespace AND c.relname = 'lint_acceptance'
    UNION ALL
    SELECT 'edit', has_sequence_privilege(r.oid, 'fleetwall.rule_key_seq', 'USAGE') FROM pg_roles AS r WHERE r.rolname = 'fleetwall_editor'
    UNION ALL
    SELECT 'operate', has_any_column_privilege(r.oid, 'fleetwall.generation', 'INSERT') FROM pg_roles AS r WHERE r.rolname = 'fleetwall_operator'
    UNION ALL
    SELECT 'operate', has_table_privilege(r.oid, c.oid, 'INSERT') AND has_table_privilege(r.oid, c.oid, 'UPDATE') AND has_table_privilege(r.oid, c.oid, 'DELETE')
    FROM pg_roles AS r, pg_class AS c
    WHERE r.rolname = 'fleetwall_operator' AND c.relnamespace = 'fleetwall'::regnamespace
      AND c.relname IN ('machine_freeze', 'probe', 'push_machine', 'push_run', 'push_work', 'push_tally', 'push_halt', 'generation_approval')
    UNION ALL
    SELECT 'operate', has_sequence_privilege(r.oid, c.oid, 'UPDATE')
    FROM pg_roles AS r, pg_class AS c
    WHERE r.rolname = 'fleetwall_operator' AND c.relnamespace = 'fleetwall'::regnamespace AND c.relname = 'push_fence'
) AS needed
