-- What each of the three roles may do in this database, and nothing more. May be run again, and is after every upgrade of the schema.
-- Nobody but the triggers writes history, rule.text and service.builtin; who froze a machine, wants a probe, or accepted a finding is nothing that editors say.
GRANT USAGE ON SCHEMA fleetwall TO fleetwall_reader;
GRANT SELECT ON ALL TABLES IN SCHEMA fleetwall TO fleetwall_reader;

GRANT INSERT, UPDATE, DELETE ON fleetwall.machine, fleetwall.address, fleetwall.role, fleetwall.member, fleetwall.network, fleetwall.network_prefix,
    fleetwall.service_port, fleetwall.rule_peer TO fleetwall_editor;
GRANT DELETE ON fleetwall.service, fleetwall.rule TO fleetwall_editor;
GRANT INSERT (name, document), UPDATE (name, document) ON fleetwall.service TO fleetwall_editor;
GRANT INSERT (key, role, action, direction, what, protocol, ports, service, icmp_name, icmp_type, icmp_code, any_peer, interface, log, limit_count,
        limit_unit, since, until, enabled, ticket, owner, comment),
    UPDATE (key, role, action, direction, what, protocol, ports, service, icmp_name, icmp_type, icmp_code, any_peer, interface, log, limit_count,
        limit_unit, since, until, enabled, ticket, owner, comment)
    ON fleetwall.rule TO fleetwall_editor;
GRANT USAGE ON SEQUENCE fleetwall.rule_key_seq TO fleetwall_editor;

GRANT INSERT (number, digest, clock, machines, snapshot, of) ON fleetwall.generation TO fleetwall_operator;
GRANT INSERT, UPDATE, DELETE ON fleetwall.generation_pin, fleetwall.machine_generation TO fleetwall_operator;

GRANT INSERT (machine, reason), DELETE ON fleetwall.machine_freeze TO fleetwall_editor;
GRANT INSERT (machine, what, open, source), DELETE ON fleetwall.probe TO fleetwall_editor;
GRANT INSERT (finding, code, subject, reason, until), DELETE ON fleetwall.lint_acceptance TO fleetwall_editor, fleetwall_operator;
GRANT INSERT, UPDATE, DELETE ON fleetwall.machine_freeze, fleetwall.probe TO fleetwall_operator;
GRANT INSERT, UPDATE, DELETE ON fleetwall.push_machine, fleetwall.push_run, fleetwall.push_work, fleetwall.push_tally, fleetwall.push_halt,
    fleetwall.generation_approval TO fleetwall_operator;
GRANT USAGE, SELECT, UPDATE ON SEQUENCE fleetwall.push_fence TO fleetwall_operator;
