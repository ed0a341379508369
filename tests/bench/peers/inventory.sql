-- The inventory as one JSON document, for the other tools: what they are given to read is made from it (export.py).
\set ON_ERROR_STOP on
\pset tuples_only on
\pset format unaligned
SET search_path = fleetwall;
SET timezone = 'UTC';
SELECT json_build_object(
    'members', (SELECT json_agg(json_build_array(role, machine) ORDER BY machine, role) FROM (SELECT DISTINCT role, machine FROM role_member) AS m),
    'unused', (SELECT json_agg(name) FROM machine WHERE NOT enabled OR enforcement = 'unmanaged'),
    'disabled', (SELECT json_agg(name) FROM machine WHERE NOT enabled),
    'closed', (SELECT json_agg(name) FROM role WHERE egress = 'closed'),
    'addresses', (SELECT json_agg(json_build_array(machine, host(address), label)) FROM address),
    'networks', (SELECT json_agg(json_build_array(network, prefix)) FROM network_prefix),
    'services', (SELECT json_agg(json_build_array(service, protocol_name(protocol), ports_text(ports))) FROM service_port),
    'rules', (SELECT json_agg(json_build_object(
                  'id', id, 'role', role, 'action', action, 'direction', direction, 'what', what, 'service', service,
                  'protocol', protocol_name(protocol), 'ports', ports_text(ports), 'interface', interface, 'log', log,
                  'limit', limit_count || '/' || limit_unit, 'peers', peers) ORDER BY role, key)
              FROM rule AS r
              CROSS JOIN LATERAL (SELECT json_agg(json_build_object('kind', kind, 'name', coalesce(machine, network, role), 'label', label,
                                      'literal', range_text(first_address, last_address))) AS peers FROM rule_peer WHERE rule = r.key) AS p
              WHERE enabled AND coalesce(since <= now(), true) AND coalesce(until > now(), true)));
