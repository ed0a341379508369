-- The inventory: machines, roles, rules, networks, services. Names are keys, so that whoever reads or writes with plain SQL needs no joins to see
-- what a row speaks of. What a table accepts is what the rule language accepts, in canonical form, whoever writes: a row that is here can be printed
-- and printed text can be parsed back. Works from PostgreSQL 14 on.

CREATE SCHEMA fleetwall;
COMMENT ON SCHEMA fleetwall IS 'The inventory of fleetwall: which machines exist, which roles each has, what each role lets in';

CREATE TABLE fleetwall.migration (
    number      integer PRIMARY KEY CHECK (number > 0),
    name        text NOT NULL,
    digest      bytea NOT NULL,
    applied_at  timestamptz NOT NULL DEFAULT now()
);
COMMENT ON TABLE fleetwall.migration IS 'One row for each numbered migration that made this schema what it is';
COMMENT ON COLUMN fleetwall.migration.number IS 'Counts up from 1, without gaps';
COMMENT ON COLUMN fleetwall.migration.name IS 'The name of its file';
COMMENT ON COLUMN fleetwall.migration.applied_at IS 'When it was run';
COMMENT ON COLUMN fleetwall.migration.digest IS 'SHA-256 of the text that was run';

-- --- types, and the words of the rule language ---

CREATE DOMAIN fleetwall.name AS text COLLATE "C"
    CHECK (VALUE ~ '^[a-z0-9][a-z0-9._-]{0,99}$');
COMMENT ON DOMAIN fleetwall.name IS 'The name of a role, a network or an address label';
CREATE DOMAIN fleetwall.machine_name AS text COLLATE "C"
    CHECK (length(VALUE) <= 253
       AND VALUE ~ '^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?(\.[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?)*$'
       AND VALUE !~ '^[0-9]+\.[0-9]+\.[0-9]+\.[0-9]+$');
COMMENT ON DOMAIN fleetwall.machine_name IS 'The name of a machine: DNS host name rules, lower case, no IPv4 address';
CREATE DOMAIN fleetwall.service_name AS text COLLATE "C"
    CHECK (VALUE ~ '^[a-z][a-z0-9._-]{0,99}$');
COMMENT ON DOMAIN fleetwall.service_name IS 'The name of a service; it begins with a letter, so that no number can be one';
CREATE DOMAIN fleetwall.line AS text
    CHECK (length(VALUE) <= 1000 AND VALUE !~ '[\x01-\x1f\x7f]');
COMMENT ON DOMAIN fleetwall.line IS 'Free text for people: one line without control characters';

CREATE FUNCTION fleetwall.labels_valid(labels jsonb) RETURNS boolean
    LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE AS $$
BEGIN
    IF jsonb_typeof(labels) <> 'object' THEN
        RETURN false;
    ELSIF labels = '{}' THEN
        RETURN true;
    END IF;
    RETURN NOT EXISTS (
        SELECT FROM jsonb_each(labels) AS label
        WHERE jsonb_typeof(label.value) <> 'string'
           OR octet_length(label.key) NOT BETWEEN 1 AND 255 OR label.key ~ '[=\x01-\x1f\x7f]'
           OR octet_length(label.value #>> '{}') > 255 OR label.value #>> '{}' ~ '[\x01-\x1f\x7f]');
END $$;
COMMENT ON FUNCTION fleetwall.labels_valid IS 'Is this an object of strings, as labels and selectors are? Keys have 1 to 255 bytes and no "=", values at most 255; no control characters';

CREATE FUNCTION fleetwall.is_keyword(word text) RETURNS boolean
    LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS $$
    SELECT word = ANY (ARRAY[
        'allow', 'deny', 'reject', 'all', 'any', 'from', 'to', 'on', 'log', 'limit', 'since', 'until',
        'second', 'minute', 'hour', 'day', 'self', 'role', 'network', 'machine',
        'tcp', 'udp', 'udplite', 'sctp', 'dccp', 'gre', 'esp', 'ah', 'ipip', 'vrrp', 'igmp', 'icmp', 'icmpv4', 'icmpv6'])
$$;
COMMENT ON FUNCTION fleetwall.is_keyword IS 'Is this a word or a protocol of the rule language? Then no service can have it as its name';

CREATE FUNCTION fleetwall.ports_valid(ports int4multirange) RETURNS boolean
    LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS $$
    SELECT NOT isempty(ports) AND ports <@ int4range(0, 65536)
$$;
COMMENT ON FUNCTION fleetwall.ports_valid IS 'Is this at least one port, and are all of them within 0 to 65535?';

CREATE FUNCTION fleetwall.protocol_name(protocol integer) RETURNS text
    LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS $$
    SELECT CASE protocol
        WHEN 2 THEN 'igmp' WHEN 4 THEN 'ipip' WHEN 6 THEN 'tcp' WHEN 17 THEN 'udp' WHEN 33 THEN 'dccp' WHEN 47 THEN 'gre' WHEN 50 THEN 'esp'
        WHEN 51 THEN 'ah' WHEN 112 THEN 'vrrp' WHEN 132 THEN 'sctp' WHEN 136 THEN 'udplite' ELSE protocol::text END
$$;
COMMENT ON FUNCTION fleetwall.protocol_name IS 'A protocol as the rule language writes it';

CREATE FUNCTION fleetwall.ports_text(ports int4multirange) RETURNS text
    LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS $$
    SELECT string_agg(CASE upper(r) - 1 WHEN lower(r) THEN lower(r)::text ELSE lower(r) || '-' || upper(r) - 1 END, ',' ORDER BY lower(r))
    FROM unnest(ports) AS r
$$;
COMMENT ON FUNCTION fleetwall.ports_text IS 'Ports as the rule language writes them: 80,443,1000-2000';

CREATE FUNCTION fleetwall.range_text(first_address inet, last_address inet) RETURNS text
    LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS $$
    SELECT CASE
        WHEN first_address = last_address THEN host(first_address)
        WHEN host(network(inet_merge(first_address, last_address))) = host(first_address)
         AND host(broadcast(inet_merge(first_address, last_address))) = host(last_address)
            THEN inet_merge(first_address, last_address)::text
        ELSE host(first_address) || '-' || host(last_address) END
$$;
COMMENT ON FUNCTION fleetwall.range_text IS 'Addresses as the rule language writes them: a host, a prefix where it is exactly one, else first-last';

CREATE FUNCTION fleetwall.time_text(moment timestamptz) RETURNS text
    LANGUAGE sql STABLE STRICT PARALLEL SAFE AS $$
    SELECT to_char(moment AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"')
$$;
COMMENT ON FUNCTION fleetwall.time_text IS 'A time as the rule language writes it: 2026-03-01T12:00:00Z';

CREATE FUNCTION fleetwall.time_valid(moment timestamptz) RETURNS boolean
    LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS $$
    SELECT moment >= '0001-01-01 00:00:00+00' AND moment <= '9999-12-31 23:59:59+00'
       AND date_trunc('second', moment AT TIME ZONE 'UTC') = moment AT TIME ZONE 'UTC'
$$;
COMMENT ON FUNCTION fleetwall.time_valid IS 'Can the rule language write this time? Whole seconds of the years 1 to 9999';

CREATE FUNCTION fleetwall.rule_digest(role text, rule text) RETURNS bytea
    LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS $$
    SELECT sha256(convert_to(role, 'UTF8') || '\x00'::bytea || convert_to(rule, 'UTF8'))
$$;
COMMENT ON FUNCTION fleetwall.rule_digest IS 'SHA-256 over role, NUL, canonical rule; its first 12 hexadecimal digits are the id of the rule';

-- --- machines ---

-- Columns that refer to a name are plain text: the foreign key says all that the domain would, and checking a name twice costs seconds
-- on a large fleet.

CREATE TABLE fleetwall.machine (
    name        fleetwall.machine_name PRIMARY KEY,
    enabled     boolean NOT NULL DEFAULT true,
    mode        text NOT NULL DEFAULT 'exclusive' CHECK (mode IN ('exclusive', 'coexist')),
    enforcement text NOT NULL DEFAULT 'enforce' CHECK (enforcement IN ('enforce', 'monitor', 'unmanaged')),
    ssh_port    integer CHECK (ssh_port BETWEEN 1 AND 65535),
    ssh_host    text CHECK (ssh_host ~ '^[A-Za-z0-9_.:][A-Za-z0-9_.:-]{0,252}$'),
    labels      jsonb NOT NULL DEFAULT '{}' CHECK (fleetwall.labels_valid(labels))
);
COMMENT ON TABLE fleetwall.machine IS 'One host';
COMMENT ON COLUMN fleetwall.machine.name IS 'Unique; a DNS host name in lower case';
COMMENT ON COLUMN fleetwall.machine.enabled IS 'A disabled machine gets no ruleset and is no peer of an allow rule';
COMMENT ON COLUMN fleetwall.machine.mode IS 'exclusive: the filter table is ours; coexist: only chains that begin with fleetwall are';
COMMENT ON COLUMN fleetwall.machine.enforcement IS 'enforce; monitor: refuses nothing, logs what it would refuse; unmanaged: no ruleset';
COMMENT ON COLUMN fleetwall.machine.ssh_port IS 'Where its SSH server listens; null: the configured port';
COMMENT ON COLUMN fleetwall.machine.ssh_host IS 'The name or address that a push connects to; null: one of its addresses';
COMMENT ON COLUMN fleetwall.machine.labels IS 'Keys and string values that the selectors of roles look at';
CREATE INDEX machine_labels ON fleetwall.machine USING gin (labels jsonb_path_ops);

CREATE TABLE fleetwall.address (
    machine     text COLLATE "C" NOT NULL REFERENCES fleetwall.machine ON UPDATE CASCADE ON DELETE CASCADE,
    address     inet NOT NULL CHECK (masklen(address) = CASE family(address) WHEN 4 THEN 32 ELSE 128 END),
    label       fleetwall.name,
    PRIMARY KEY (machine, address)
);
COMMENT ON TABLE fleetwall.address IS 'One address of a machine; two machines may share one';
COMMENT ON COLUMN fleetwall.address.machine IS 'Whose it is';
COMMENT ON COLUMN fleetwall.address.address IS 'An IPv4 or IPv6 host address';
COMMENT ON COLUMN fleetwall.address.label IS 'private, public, management, …; a rule may name role:app/private';
CREATE INDEX address_address ON fleetwall.address (address);

-- --- roles and members ---

CREATE TABLE fleetwall.role (
    name        text COLLATE "C" PRIMARY KEY,
    machine     text COLLATE "C" UNIQUE REFERENCES fleetwall.machine ON UPDATE CASCADE ON DELETE CASCADE,
    description fleetwall.line,
    owner       fleetwall.line,
    selector    jsonb CHECK (fleetwall.labels_valid(selector)),
    egress      text NOT NULL DEFAULT 'open' CHECK (egress IN ('open', 'closed')),
    CONSTRAINT role_name CHECK (CASE WHEN machine IS NULL THEN name ~ '^[a-z0-9][a-z0-9._-]{0,99}$' ELSE name = 'machine:' || machine AND selector IS NULL END)
);
COMMENT ON TABLE fleetwall.role IS 'A named set of rules, and the set of machines that have it';
COMMENT ON COLUMN fleetwall.role.name IS 'A name, or machine:NAME for the rules of that one machine';
COMMENT ON COLUMN fleetwall.role.machine IS 'The machine of a role machine:NAME, its only member; null for all other roles';
COMMENT ON COLUMN fleetwall.role.description IS 'What it is for';
COMMENT ON COLUMN fleetwall.role.owner IS 'Who answers for it';
COMMENT ON COLUMN fleetwall.role.selector IS 'Machines whose labels contain these are members; {}: every machine; null: none but those assigned';
COMMENT ON COLUMN fleetwall.role.egress IS 'closed: from its members only what a rule allows may leave';

CREATE FUNCTION fleetwall.role_of_machine() RETURNS trigger
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    NEW.name := 'machine:' || NEW.machine;
    RETURN NEW;
END $$;
COMMENT ON FUNCTION fleetwall.role_of_machine IS 'Keeps the name of a role machine:NAME right when its machine is renamed';
CREATE TRIGGER role_of_machine BEFORE UPDATE OF machine ON fleetwall.role
    FOR EACH ROW WHEN (NEW.machine IS NOT NULL AND NEW.machine IS DISTINCT FROM OLD.machine) EXECUTE FUNCTION fleetwall.role_of_machine();

CREATE TABLE fleetwall.member (
    role        text COLLATE "C" NOT NULL REFERENCES fleetwall.role ON UPDATE CASCADE ON DELETE CASCADE CHECK (position(':' IN role) = 0),
    machine     text COLLATE "C" NOT NULL REFERENCES fleetwall.machine ON UPDATE CASCADE ON DELETE CASCADE,
    PRIMARY KEY (role, machine)
);
COMMENT ON TABLE fleetwall.member IS 'A machine that was assigned a role; for those that a selector finds too, see the view role_member';
COMMENT ON COLUMN fleetwall.member.role IS 'The role';
COMMENT ON COLUMN fleetwall.member.machine IS 'The machine that has it';
CREATE INDEX member_machine ON fleetwall.member (machine);

-- --- networks and services ---

CREATE TABLE fleetwall.network (
    name        fleetwall.name PRIMARY KEY
);
COMMENT ON TABLE fleetwall.network IS 'A named set of prefixes; an empty one matches nobody';
COMMENT ON COLUMN fleetwall.network.name IS 'What rules call it: network:NAME';
CREATE TABLE fleetwall.network_prefix (
    network     text COLLATE "C" NOT NULL REFERENCES fleetwall.network ON UPDATE CASCADE ON DELETE CASCADE,
    prefix      cidr NOT NULL,
    PRIMARY KEY (network, prefix)
);
COMMENT ON TABLE fleetwall.network_prefix IS 'One prefix of a network';
COMMENT ON COLUMN fleetwall.network_prefix.network IS 'The network';
COMMENT ON COLUMN fleetwall.network_prefix.prefix IS 'IPv4 or IPv6, without host bits';

CREATE TABLE fleetwall.service (
    name        fleetwall.service_name PRIMARY KEY CHECK (NOT fleetwall.is_keyword(name)),
    builtin     boolean NOT NULL DEFAULT false
);
COMMENT ON TABLE fleetwall.service IS 'A named set of ports: mysql, dns';
COMMENT ON COLUMN fleetwall.service.name IS 'What rules call it';
COMMENT ON COLUMN fleetwall.service.builtin IS 'It came with the schema and was not changed since';
CREATE TABLE fleetwall.service_port (
    service     text COLLATE "C" NOT NULL REFERENCES fleetwall.service ON UPDATE CASCADE ON DELETE CASCADE,
    protocol    smallint NOT NULL CHECK (protocol IN (6, 17, 33, 132, 136)),
    ports       int4multirange NOT NULL CHECK (fleetwall.ports_valid(ports)),
    PRIMARY KEY (service, protocol)
);
COMMENT ON TABLE fleetwall.service_port IS 'The ports of a service, for one protocol';
COMMENT ON COLUMN fleetwall.service_port.service IS 'The service';
COMMENT ON COLUMN fleetwall.service_port.protocol IS '6 tcp, 17 udp, 33 dccp, 132 sctp, 136 udplite';
COMMENT ON COLUMN fleetwall.service_port.ports IS 'A port p is [p,p+1)';

-- --- rules ---

CREATE TABLE fleetwall.rule (
    key         bigint GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY,
    role        text COLLATE "C" NOT NULL REFERENCES fleetwall.role ON UPDATE CASCADE ON DELETE CASCADE,
    action      text NOT NULL CHECK (action IN ('allow', 'deny', 'reject')),
    direction   text NOT NULL DEFAULT 'from' CHECK (direction IN ('from', 'to')),
    what        text NOT NULL CHECK (what IN ('all', 'protocol', 'ports', 'service', 'icmp', 'icmpv4', 'icmpv6')),
    protocol    smallint CHECK (protocol BETWEEN 1 AND 255),
    ports       int4multirange CHECK (fleetwall.ports_valid(ports)),
    service     text COLLATE "C" REFERENCES fleetwall.service ON UPDATE CASCADE,
    icmp_name   text CHECK (icmp_name IN ('echo-request', 'echo-reply', 'destination-unreachable', 'time-exceeded', 'parameter-problem')),
    icmp_type   smallint CHECK (icmp_type BETWEEN 0 AND 254),
    icmp_code   smallint CHECK (icmp_code BETWEEN 0 AND 255),
    any_peer    boolean NOT NULL DEFAULT false,
    interface   text CHECK (interface ~ '^[A-Za-z0-9_.@:-]{1,15}$' OR interface ~ '^[A-Za-z0-9_.@:-]{1,14}\+$'),
    log         boolean NOT NULL DEFAULT false,
    limit_count integer CHECK (limit_count BETWEEN 1 AND 1000),
    limit_unit  text CHECK (limit_unit IN ('second', 'minute', 'hour', 'day')),
    since       timestamptz CHECK (fleetwall.time_valid(since)),
    until       timestamptz CHECK (fleetwall.time_valid(until)),
    enabled     boolean NOT NULL DEFAULT true,
    ticket      fleetwall.line,
    owner       fleetwall.line,
    comment     fleetwall.line,
    text        text,
    digest      bytea,
    id          text COLLATE "C" GENERATED ALWAYS AS (left(encode(digest, 'hex'), 12)) STORED,
    CONSTRAINT rule_protocol CHECK (CASE what
        WHEN 'protocol' THEN protocol IS NOT NULL AND protocol NOT IN (1, 58)
        WHEN 'ports' THEN protocol IS NOT NULL AND protocol IN (6, 17, 33, 132, 136)
        ELSE protocol IS NULL END),
    CONSTRAINT rule_ports CHECK ((what = 'ports') = (ports IS NOT NULL)),
    CONSTRAINT rule_service CHECK ((what = 'service') = (service IS NOT NULL)),
    CONSTRAINT rule_icmp_type CHECK (CASE
        WHEN what NOT IN ('icmp', 'icmpv4', 'icmpv6') THEN icmp_name IS NULL AND icmp_type IS NULL AND icmp_code IS NULL
        WHEN icmp_name IS NULL AND icmp_type IS NULL THEN icmp_code IS NULL
        ELSE icmp_name IS NULL OR icmp_type IS NULL END),
    CONSTRAINT rule_icmp_named CHECK (CASE what
        WHEN 'icmpv4' THEN icmp_type IS NULL OR icmp_type NOT IN (0, 3, 8, 11, 12)
        WHEN 'icmpv6' THEN icmp_type IS NULL OR icmp_type NOT IN (1, 3, 4, 128, 129)
        ELSE true END),
    CONSTRAINT rule_limit CHECK ((limit_count IS NULL) = (limit_unit IS NULL) AND (limit_count IS NULL OR action = 'allow')),
    CONSTRAINT rule_time CHECK (since < until),
    CONSTRAINT rule_not_default CHECK (NOT (action = 'deny' AND direction = 'from' AND what = 'all' AND any_peer AND interface IS NULL AND NOT log
        AND since IS NULL AND until IS NULL)),
    -- An exclusion, not UNIQUE: a unique column counts as a key, and changing it would collide with everybody who adds a peer at the same time.
    CONSTRAINT rule_once EXCLUDE USING btree (digest WITH =) DEFERRABLE INITIALLY DEFERRED
);
COMMENT ON TABLE fleetwall.rule IS 'One rule of a role, in columns; its peers are rows of rule_peer. A role holds a rule once';
COMMENT ON COLUMN fleetwall.rule.key IS 'Means nothing outside this database; see id';
COMMENT ON COLUMN fleetwall.rule.role IS 'The role that holds it';
COMMENT ON COLUMN fleetwall.rule.action IS 'allow, deny (drop) or reject (refuse with an answer)';
COMMENT ON COLUMN fleetwall.rule.direction IS 'from: of packets coming in; to: of packets going out';
COMMENT ON COLUMN fleetwall.rule.what IS 'Which packets: all, or what the columns behind this one say';
COMMENT ON COLUMN fleetwall.rule.protocol IS 'With protocol and ports: the IP protocol number; 1 and 58 are written as icmpv4 and icmpv6';
COMMENT ON COLUMN fleetwall.rule.ports IS 'With ports: destination ports; a port p is [p,p+1)';
COMMENT ON COLUMN fleetwall.rule.service IS 'With service: its name';
COMMENT ON COLUMN fleetwall.rule.icmp_name IS 'With icmp, icmpv4, icmpv6: the type, where it has a name';
COMMENT ON COLUMN fleetwall.rule.icmp_type IS 'The type as a number, where it has none (under icmp: taken as it is)';
COMMENT ON COLUMN fleetwall.rule.icmp_code IS 'The code; null: any';
COMMENT ON COLUMN fleetwall.rule.any_peer IS 'From or to anyone; then it has no rows in rule_peer, otherwise at least one';
COMMENT ON COLUMN fleetwall.rule.interface IS 'Only on this interface; + at the end is a wildcard';
COMMENT ON COLUMN fleetwall.rule.log IS 'Logs what it decides';
COMMENT ON COLUMN fleetwall.rule.limit_count IS 'New connections for each source (outbound: destination) in a limit_unit; allow only';
COMMENT ON COLUMN fleetwall.rule.limit_unit IS 'second, minute, hour, day';
COMMENT ON COLUMN fleetwall.rule.since IS 'Counts from then on';
COMMENT ON COLUMN fleetwall.rule.until IS 'Counts until just before then';
COMMENT ON COLUMN fleetwall.rule.enabled IS 'A disabled rule counts for nothing';
COMMENT ON COLUMN fleetwall.rule.ticket IS 'Why it is there';
COMMENT ON COLUMN fleetwall.rule.owner IS 'Who answers for it';
COMMENT ON COLUMN fleetwall.rule.comment IS 'What stood behind # in its line';
COMMENT ON COLUMN fleetwall.rule.text IS 'Derived by triggers: the canonical rule; null only until its peers are there';
COMMENT ON COLUMN fleetwall.rule.digest IS 'Derived by triggers: rule_digest(role, text)';
COMMENT ON COLUMN fleetwall.rule.id IS 'The id of the rule, the same everywhere: the first 12 hexadecimal digits of digest';
CREATE INDEX rule_role ON fleetwall.rule (role);
CREATE INDEX rule_by_service ON fleetwall.rule (service) WHERE service IS NOT NULL;
CREATE INDEX rule_id ON fleetwall.rule (id);

-- Two references are deferred: the rules of a role that goes, or of a machine, may speak of itself, and they go a moment later.
CREATE TABLE fleetwall.rule_peer (
    rule          bigint NOT NULL REFERENCES fleetwall.rule ON DELETE CASCADE,
    kind          text NOT NULL CHECK (kind IN ('literal', 'self', 'machine', 'network', 'role')),
    first_address inet,
    last_address  inet,
    machine       text COLLATE "C" REFERENCES fleetwall.machine ON UPDATE CASCADE DEFERRABLE INITIALLY DEFERRED,
    network       text COLLATE "C" REFERENCES fleetwall.network ON UPDATE CASCADE,
    role          text COLLATE "C" REFERENCES fleetwall.role ON UPDATE CASCADE DEFERRABLE INITIALLY DEFERRED,
    label         fleetwall.name,
    CONSTRAINT rule_peer_literal CHECK (CASE kind
        WHEN 'literal' THEN first_address IS NOT NULL AND last_address IS NOT NULL AND family(first_address) = family(last_address)
            AND first_address <= last_address
            AND masklen(first_address) = CASE family(first_address) WHEN 4 THEN 32 ELSE 128 END
            AND masklen(last_address) = CASE family(last_address) WHEN 4 THEN 32 ELSE 128 END
        ELSE first_address IS NULL AND last_address IS NULL END),
    CONSTRAINT rule_peer_machine CHECK ((kind = 'machine') = (machine IS NOT NULL)),
    CONSTRAINT rule_peer_network CHECK ((kind = 'network') = (network IS NOT NULL)),
    CONSTRAINT rule_peer_role CHECK ((kind = 'role') = (role IS NOT NULL) AND position(':' IN role) = 0),
    CONSTRAINT rule_peer_label CHECK (kind = 'role' OR label IS NULL)
);
COMMENT ON TABLE fleetwall.rule_peer IS 'One peer of a rule; several are their union';
COMMENT ON COLUMN fleetwall.rule_peer.rule IS 'rule.key';
COMMENT ON COLUMN fleetwall.rule_peer.kind IS 'literal, self (the rule''s own role), machine, network, role';
COMMENT ON COLUMN fleetwall.rule_peer.first_address IS 'literal: the first address; none of a rule''s literals lies within another';
COMMENT ON COLUMN fleetwall.rule_peer.last_address IS 'literal: the last address, of the same family';
COMMENT ON COLUMN fleetwall.rule_peer.machine IS 'machine: its name';
COMMENT ON COLUMN fleetwall.rule_peer.network IS 'network: its name';
COMMENT ON COLUMN fleetwall.rule_peer.role IS 'role: its name';
COMMENT ON COLUMN fleetwall.rule_peer.label IS 'role: only the addresses with this label; null: all';
CREATE INDEX rule_peer_rule ON fleetwall.rule_peer (rule);
CREATE UNIQUE INDEX rule_peer_once ON fleetwall.rule_peer (rule, kind, coalesce(machine, network, role, ''), coalesce(label::text, ''))
    WHERE kind <> 'literal';
CREATE INDEX rule_peer_by_machine ON fleetwall.rule_peer (machine) WHERE machine IS NOT NULL;
CREATE INDEX rule_peer_by_network ON fleetwall.rule_peer (network) WHERE network IS NOT NULL;
CREATE INDEX rule_peer_by_role ON fleetwall.rule_peer (role) WHERE role IS NOT NULL;

-- --- the canonical text of rules ---

CREATE VIEW fleetwall.rule_derived AS
    SELECT r.key, r.role, d.fault, t.text, fleetwall.rule_digest(r.role, t.text) AS digest
    FROM fleetwall.rule AS r
    CROSS JOIN LATERAL (
        SELECT string_agg(q.text, ', ' ORDER BY q.rank, q.first_address, q.last_address, q.name COLLATE "C", q.label COLLATE "C" NULLS FIRST) AS text,
               count(*) AS count, bool_or(q.nested) AS nested,
               count(DISTINCT family(q.first_address)) FILTER (WHERE q.text IN ('0.0.0.0/0', '::/0')) AS everything
        FROM (SELECT p.first_address, p.last_address, p.label, coalesce(p.machine, p.network, p.role) AS name,
                     CASE p.kind WHEN 'literal' THEN 0 WHEN 'self' THEN 1 WHEN 'machine' THEN 2 WHEN 'network' THEN 3 ELSE 4 END AS rank,
                     CASE p.kind WHEN 'literal' THEN fleetwall.range_text(p.first_address, p.last_address) WHEN 'self' THEN 'self'
                         WHEN 'machine' THEN 'machine:' || p.machine WHEN 'network' THEN 'network:' || p.network
                         ELSE 'role:' || p.role || coalesce('/' || p.label, '') END AS text,
                     p.kind = 'literal' AND p.last_address <= max(p.last_address) OVER (PARTITION BY family(p.first_address)
                         ORDER BY p.first_address, p.last_address DESC ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS nested
              FROM fleetwall.rule_peer AS p WHERE p.rule = r.key) AS q) AS peers
    CROSS JOIN LATERAL (
        SELECT CASE
            WHEN r.any_peer AND peers.count > 0 THEN 'it speaks of anyone (any_peer) and has peers as well'
            WHEN NOT r.any_peer AND peers.count = 0 THEN 'it has no peers, and does not speak of anyone (any_peer)'
            WHEN peers.nested THEN 'one of its literal peers lies within another'
            WHEN peers.everything = 2 THEN 'both 0.0.0.0/0 and ::/0 are its peers: that is anyone (any_peer, without peers)'
            END AS fault) AS d
    CROSS JOIN LATERAL (
        SELECT r.action || ' '
            || CASE r.what WHEN 'protocol' THEN fleetwall.protocol_name(r.protocol)
                   WHEN 'ports' THEN fleetwall.ports_text(r.ports) || '/' || fleetwall.protocol_name(r.protocol)
                   WHEN 'service' THEN r.service
                   ELSE r.what || coalesce('/' || r.icmp_name, '/' || r.icmp_type, '') || coalesce('/' || r.icmp_code, '') END
            || CASE WHEN NOT r.any_peer THEN ' ' || r.direction || ' ' || peers.text WHEN r.direction = 'to' THEN ' to any' ELSE '' END
            || coalesce(' on ' || r.interface, '')
            || coalesce(' limit ' || r.limit_count || '/' || r.limit_unit, '')
            || CASE WHEN r.log THEN ' log' ELSE '' END
            || coalesce(' since ' || fleetwall.time_text(r.since), '')
            || coalesce(' until ' || fleetwall.time_text(r.until), '') AS text
        WHERE d.fault IS NULL
        UNION ALL
        SELECT NULL WHERE d.fault IS NOT NULL) AS t;
COMMENT ON VIEW fleetwall.rule_derived IS 'What rule.text and rule.digest must be, from the columns and peers; and what is wrong with a rule that has no text';

CREATE FUNCTION fleetwall.rule_text(rule bigint) RETURNS text
    LANGUAGE sql STABLE STRICT AS $$
    SELECT text FROM fleetwall.rule_derived WHERE key = rule
$$;
COMMENT ON FUNCTION fleetwall.rule_text IS 'The canonical text of the rule with this key, from its columns and peers';

-- A zero-row UPDATE fires statement triggers too: without the first line this would go on for ever.
CREATE FUNCTION fleetwall.rule_derive() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF EXISTS (SELECT FROM changed) THEN
        UPDATE fleetwall.rule AS r SET text = d.text, digest = d.digest
        FROM fleetwall.rule_derived AS d
        WHERE d.key IN (SELECT key FROM changed) AND r.key = d.key AND (r.text, r.digest) IS DISTINCT FROM (d.text, d.digest);
    END IF;
    RETURN NULL;
END $$;
COMMENT ON FUNCTION fleetwall.rule_derive IS 'Keeps rule.text and rule.digest right after rules were written';

-- Two transactions that add peers to one rule must not each derive the text without the other's: the row lock comes first, and the
-- statement behind it sees what the other one committed.
CREATE FUNCTION fleetwall.rule_peer_derive() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF EXISTS (SELECT FROM changed) THEN
        PERFORM FROM fleetwall.rule WHERE key IN (SELECT rule FROM changed) ORDER BY key FOR NO KEY UPDATE;
        UPDATE fleetwall.rule AS r SET text = d.text, digest = d.digest
        FROM fleetwall.rule_derived AS d
        WHERE d.key IN (SELECT rule FROM changed) AND r.key = d.key AND (r.text, r.digest) IS DISTINCT FROM (d.text, d.digest);
    END IF;
    RETURN NULL;
END $$;
COMMENT ON FUNCTION fleetwall.rule_peer_derive IS 'Keeps rule.text and rule.digest right after peers were written';

CREATE FUNCTION fleetwall.rule_underived() RETURNS trigger
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    NEW.text := NULL;
    NEW.digest := NULL;
    RETURN NEW;
END $$;
COMMENT ON FUNCTION fleetwall.rule_underived IS 'Nobody gives the derived columns of a new rule';

CREATE FUNCTION fleetwall.rule_complete() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    reason text;
BEGIN
    IF EXISTS (SELECT FROM fleetwall.rule WHERE key = NEW.key AND text IS NULL) THEN
        SELECT fault INTO reason FROM fleetwall.rule_derived WHERE key = NEW.key;
        RAISE EXCEPTION 'rule % of role %: %', NEW.key, NEW.role, reason USING ERRCODE = 'check_violation', SCHEMA = 'fleetwall', TABLE = 'rule',
            CONSTRAINT = 'rule_complete';
    END IF;
    RETURN NULL;
END $$;
COMMENT ON FUNCTION fleetwall.rule_complete IS 'At the end of a transaction each rule has the peers that it needs, and no others';

CREATE TRIGGER rule_underived BEFORE INSERT ON fleetwall.rule
    FOR EACH ROW WHEN (NEW.text IS NOT NULL OR NEW.digest IS NOT NULL) EXECUTE FUNCTION fleetwall.rule_underived();
CREATE TRIGGER derive_insert AFTER INSERT ON fleetwall.rule REFERENCING NEW TABLE AS changed
    FOR EACH STATEMENT EXECUTE FUNCTION fleetwall.rule_derive();
CREATE TRIGGER derive_update AFTER UPDATE ON fleetwall.rule REFERENCING NEW TABLE AS changed
    FOR EACH STATEMENT EXECUTE FUNCTION fleetwall.rule_derive();
CREATE TRIGGER derive_insert AFTER INSERT ON fleetwall.rule_peer REFERENCING NEW TABLE AS changed
    FOR EACH STATEMENT EXECUTE FUNCTION fleetwall.rule_peer_derive();
CREATE TRIGGER derive_update AFTER UPDATE ON fleetwall.rule_peer REFERENCING NEW TABLE AS changed
    FOR EACH STATEMENT EXECUTE FUNCTION fleetwall.rule_peer_derive();
CREATE TRIGGER derive_update_from AFTER UPDATE ON fleetwall.rule_peer REFERENCING OLD TABLE AS changed
    FOR EACH STATEMENT EXECUTE FUNCTION fleetwall.rule_peer_derive();
CREATE TRIGGER derive_delete AFTER DELETE ON fleetwall.rule_peer REFERENCING OLD TABLE AS changed
    FOR EACH STATEMENT EXECUTE FUNCTION fleetwall.rule_peer_derive();
CREATE CONSTRAINT TRIGGER rule_complete AFTER INSERT OR UPDATE ON fleetwall.rule DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW WHEN (NEW.text IS NULL) EXECUTE FUNCTION fleetwall.rule_complete();

-- --- generations ---

CREATE TABLE fleetwall.generation (
    number      bigint PRIMARY KEY CHECK (number > 0),
    digest      bytea NOT NULL CHECK (length(digest) = 32),
    clock       timestamptz NOT NULL CHECK (isfinite(clock)),
    at          timestamptz NOT NULL DEFAULT now(),
    who         text NOT NULL DEFAULT session_user,
    machines    bigint NOT NULL CHECK (machines >= 0)
);
COMMENT ON TABLE fleetwall.generation IS 'One row a generation that was published';
COMMENT ON COLUMN fleetwall.generation.number IS 'The name of its folder';
COMMENT ON COLUMN fleetwall.generation.digest IS 'SHA-256 of what sha256sum manifest sets prints there; whoever pushes it checks that';
COMMENT ON COLUMN fleetwall.generation.clock IS 'The time that since and until were compared with; it never goes back';
COMMENT ON COLUMN fleetwall.generation.at IS 'When it was published';
COMMENT ON COLUMN fleetwall.generation.who IS 'The database user who published it';
COMMENT ON COLUMN fleetwall.generation.machines IS 'How many machines it has a ruleset for';

-- --- what people ask ---

CREATE VIEW fleetwall.role_member AS
    SELECT m.role, m.machine, 'assigned'::text AS via
    FROM fleetwall.member AS m
    UNION ALL
    SELECT r.name, r.machine, 'assigned'
    FROM fleetwall.role AS r WHERE r.machine IS NOT NULL
    UNION ALL
    SELECT r.name, m.name::text, 'selector'
    FROM fleetwall.role AS r JOIN fleetwall.machine AS m ON m.labels @> r.selector
    WHERE NOT EXISTS (SELECT FROM fleetwall.member AS a WHERE a.role = r.name AND a.machine = m.name);
COMMENT ON VIEW fleetwall.role_member IS 'A membership, of disabled machines too; one row for each role and machine';
COMMENT ON COLUMN fleetwall.role_member.via IS 'assigned (that wins), or selector';

CREATE VIEW fleetwall.role_address AS
    SELECT DISTINCT r.role, a.address, a.label::text AS label
    FROM fleetwall.role_member AS r
    JOIN fleetwall.machine AS m ON m.name = r.machine AND m.enabled
    JOIN fleetwall.address AS a ON a.machine = m.name;
COMMENT ON VIEW fleetwall.role_address IS 'An address that the role stands for as a peer of allow rules: those of its enabled members';

CREATE VIEW fleetwall.machine_rule AS
    SELECT m.name::text AS machine, u.role, u.id AS rule_id, u.text AS rule
    FROM fleetwall.machine AS m
    JOIN fleetwall.role_member AS r ON r.machine = m.name
    JOIN fleetwall.rule AS u ON u.role = r.role
    WHERE m.enabled AND m.enforcement <> 'unmanaged'
      AND u.enabled AND (u.since IS NULL OR u.since <= now()) AND (u.until IS NULL OR now() < u.until);
COMMENT ON VIEW fleetwall.machine_rule IS 'A rule that a machine gets now; none for disabled and unmanaged machines';
COMMENT ON COLUMN fleetwall.machine_rule.rule IS 'The canonical text';

-- --- who changed what ---

CREATE TABLE fleetwall.history_transaction (
    number      bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    xact        xid8 NOT NULL DEFAULT pg_current_xact_id(),
    at          timestamptz NOT NULL DEFAULT now(),
    who         text NOT NULL DEFAULT session_user,
    os_user     text,
    ticket      text,
    -- Transaction numbers begin anew where a dump is read back; the time tells those apart.
    UNIQUE (xact, at)
);
COMMENT ON TABLE fleetwall.history_transaction IS 'One row a transaction that changed the inventory; written by triggers alone';
COMMENT ON COLUMN fleetwall.history_transaction.number IS 'Counts up';
COMMENT ON COLUMN fleetwall.history_transaction.xact IS 'PostgreSQL''s number of the transaction';
COMMENT ON COLUMN fleetwall.history_transaction.at IS 'When it began';
COMMENT ON COLUMN fleetwall.history_transaction.who IS 'The database user who logged in';
COMMENT ON COLUMN fleetwall.history_transaction.os_user IS 'The setting fleetwall.os_user: the person at the command, as the command says';
COMMENT ON COLUMN fleetwall.history_transaction.ticket IS 'The setting fleetwall.ticket: why';

-- No foreign key to the transaction: it would cost more than all the rest of the history, and nobody but the triggers writes here.
CREATE TABLE fleetwall.history (
    number      bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    transaction bigint NOT NULL,
    kind        text NOT NULL,
    operation   "char" NOT NULL,
    before      jsonb,
    after       jsonb
);
COMMENT ON TABLE fleetwall.history IS 'One row a change to a row of the inventory; written by triggers alone. Read it as the view change';
COMMENT ON COLUMN fleetwall.history.number IS 'Counts up in the order of the changes of a transaction';
COMMENT ON COLUMN fleetwall.history.transaction IS 'history_transaction.number';
COMMENT ON COLUMN fleetwall.history.kind IS 'The table';
COMMENT ON COLUMN fleetwall.history.operation IS 'I, U or D: insert, update, delete';
COMMENT ON COLUMN fleetwall.history.before IS 'The row as it was; of a rule: its role, text, enabled, ticket, owner, comment';
COMMENT ON COLUMN fleetwall.history.after IS 'The row as it became';
CREATE INDEX history_by_transaction ON fleetwall.history USING brin (transaction);

CREATE VIEW fleetwall.change AS
    SELECT t.at, t.who,
           CASE h.kind
               WHEN 'address' THEN 'address ' || (row ->> 'machine') || ' ' || (row ->> 'address')
               WHEN 'member' THEN 'member ' || (row ->> 'role') || ' ' || (row ->> 'machine')
               WHEN 'network_prefix' THEN 'prefix ' || (row ->> 'network') || ' ' || (row ->> 'prefix')
               WHEN 'service_port' THEN 'port ' || (row ->> 'service') || ' ' || fleetwall.protocol_name((row ->> 'protocol')::integer)
               WHEN 'rule' THEN 'rule ' || (row ->> 'role') || ' '
                   || left(encode(fleetwall.rule_digest(row ->> 'role', row ->> 'rule'), 'hex'), 12)
               ELSE h.kind || ' ' || (row ->> 'name') END AS what,
           h.before, h.after, t.os_user, t.ticket,
           CASE h.operation WHEN 'I' THEN 'insert' WHEN 'U' THEN 'update' ELSE 'delete' END AS operation,
           h.kind, h.transaction, t.xact, h.number
    FROM fleetwall.history AS h
    JOIN fleetwall.history_transaction AS t ON t.number = h.transaction
    CROSS JOIN LATERAL (SELECT coalesce(h.after, h.before) AS row) AS one;
COMMENT ON VIEW fleetwall.change IS 'One change to the inventory, whoever made it';
COMMENT ON COLUMN fleetwall.change.at IS 'When its transaction began';
COMMENT ON COLUMN fleetwall.change.who IS 'The database user';
COMMENT ON COLUMN fleetwall.change.what IS 'Kind and name: machine db1, address db1 10.0.0.5, member mysql db1, rule mysql 0123456789ab';
COMMENT ON COLUMN fleetwall.change.before IS 'The row as it was; null for a new one';
COMMENT ON COLUMN fleetwall.change.after IS 'The row as it became; null for one that went';
COMMENT ON COLUMN fleetwall.change.os_user IS 'The person at the command, as the command says';
COMMENT ON COLUMN fleetwall.change.ticket IS 'Why, as the command says';
COMMENT ON COLUMN fleetwall.change.number IS 'Counts up; the order within a transaction';

CREATE FUNCTION fleetwall.history_begin() RETURNS bigint
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    found_number bigint;
BEGIN
    SELECT number INTO found_number FROM fleetwall.history_transaction WHERE xact = pg_current_xact_id() AND at = now();
    IF NOT FOUND THEN
        INSERT INTO fleetwall.history_transaction (os_user, ticket)
            VALUES (nullif(left(current_setting('fleetwall.os_user', true), 255), ''), nullif(left(current_setting('fleetwall.ticket', true), 1000), ''))
            RETURNING number INTO found_number;
        PERFORM pg_notify('fleetwall_change', found_number::text);
    END IF;
    RETURN found_number;
END $$;
COMMENT ON FUNCTION fleetwall.history_begin IS 'The row of history_transaction for this transaction; the first time it also notifies fleetwall_change with its number';

CREATE FUNCTION fleetwall.history_rule(rule fleetwall.rule) RETURNS jsonb
    LANGUAGE sql STABLE AS $$
    SELECT jsonb_build_object('role', rule.role, 'rule', rule.text, 'enabled', rule.enabled, 'ticket', rule.ticket, 'owner', rule.owner, 'comment', rule.comment)
    WHERE rule.text IS NOT NULL
$$;
COMMENT ON FUNCTION fleetwall.history_rule IS 'What the history keeps of a rule; nothing while it has no text';

CREATE FUNCTION fleetwall.history_insert() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF EXISTS (SELECT FROM new_rows) THEN
        INSERT INTO fleetwall.history (transaction, kind, operation, after)
            SELECT b.number, TG_TABLE_NAME, 'I', to_jsonb(n) FROM fleetwall.history_begin() AS b (number), new_rows AS n;
    END IF;
    RETURN NULL;
END $$;
CREATE FUNCTION fleetwall.history_delete() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF EXISTS (SELECT FROM old_rows) THEN
        INSERT INTO fleetwall.history (transaction, kind, operation, before)
            SELECT b.number, TG_TABLE_NAME, 'D', to_jsonb(o) FROM fleetwall.history_begin() AS b (number), old_rows AS o;
    END IF;
    RETURN NULL;
END $$;
-- The two transition tables of an update list the rows in the same order; keys may have changed, so that nothing else pairs them.
CREATE FUNCTION fleetwall.history_update() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF EXISTS (SELECT FROM new_rows) THEN
        INSERT INTO fleetwall.history (transaction, kind, operation, before, after)
            SELECT fleetwall.history_begin(), TG_TABLE_NAME, 'U', o.row, n.row
            FROM (SELECT to_jsonb(r) AS row, row_number() OVER () AS place FROM old_rows AS r) AS o
            JOIN (SELECT to_jsonb(r) AS row, row_number() OVER () AS place FROM new_rows AS r) AS n USING (place)
            WHERE o.row <> n.row
            ORDER BY place;
    END IF;
    RETURN NULL;
END $$;
CREATE FUNCTION fleetwall.history_truncate() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    EXECUTE format('INSERT INTO fleetwall.history (transaction, kind, operation, before)
                    SELECT fleetwall.history_begin(), %L, ''D'', %s FROM fleetwall.%I AS r',
                   TG_TABLE_NAME, CASE TG_TABLE_NAME WHEN 'rule' THEN 'fleetwall.history_rule(r)' ELSE 'to_jsonb(r)' END, TG_TABLE_NAME);
    RETURN NULL;
END $$;
-- A rule is there for the history when it has its text: when its first complete state was derived. What its peers are, its text says.
CREATE FUNCTION fleetwall.history_rule_update() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF EXISTS (SELECT FROM new_rows) THEN
        INSERT INTO fleetwall.history (transaction, kind, operation, before, after)
            SELECT fleetwall.history_begin(), 'rule', CASE WHEN o.row IS NULL THEN 'I' WHEN n.row IS NULL THEN 'D' ELSE 'U' END, o.row, n.row
            FROM (SELECT fleetwall.history_rule(r) AS row, row_number() OVER () AS place FROM old_rows AS r) AS o
            JOIN (SELECT fleetwall.history_rule(r) AS row, row_number() OVER () AS place FROM new_rows AS r) AS n USING (place)
            WHERE o.row IS DISTINCT FROM n.row
            ORDER BY place;
    END IF;
    RETURN NULL;
END $$;
CREATE FUNCTION fleetwall.history_rule_delete() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF EXISTS (SELECT FROM old_rows) THEN
        INSERT INTO fleetwall.history (transaction, kind, operation, before)
            SELECT fleetwall.history_begin(), 'rule', 'D', fleetwall.history_rule(r) FROM old_rows AS r WHERE r.text IS NOT NULL;
    END IF;
    RETURN NULL;
END $$;
COMMENT ON FUNCTION fleetwall.history_insert IS 'Keeps what a statement inserted';
COMMENT ON FUNCTION fleetwall.history_update IS 'Keeps what a statement changed';
COMMENT ON FUNCTION fleetwall.history_delete IS 'Keeps what a statement deleted';
COMMENT ON FUNCTION fleetwall.history_truncate IS 'Keeps what TRUNCATE is about to delete';
COMMENT ON FUNCTION fleetwall.history_rule_update IS 'Keeps what a statement, or the derivation of texts, changed of rules';
COMMENT ON FUNCTION fleetwall.history_rule_delete IS 'Keeps the rules that a statement deleted';

DO $$
DECLARE
    kind text;
BEGIN
    FOREACH kind IN ARRAY ARRAY['machine', 'address', 'role', 'member', 'network', 'network_prefix', 'service', 'service_port'] LOOP
        EXECUTE format('CREATE TRIGGER history_insert AFTER INSERT ON fleetwall.%I REFERENCING NEW TABLE AS new_rows
                        FOR EACH STATEMENT EXECUTE FUNCTION fleetwall.history_insert()', kind);
        EXECUTE format('CREATE TRIGGER history_update AFTER UPDATE ON fleetwall.%I REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows
                        FOR EACH STATEMENT EXECUTE FUNCTION fleetwall.history_update()', kind);
        EXECUTE format('CREATE TRIGGER history_delete AFTER DELETE ON fleetwall.%I REFERENCING OLD TABLE AS old_rows
                        FOR EACH STATEMENT EXECUTE FUNCTION fleetwall.history_delete()', kind);
        EXECUTE format('CREATE TRIGGER history_truncate BEFORE TRUNCATE ON fleetwall.%I
                        FOR EACH STATEMENT EXECUTE FUNCTION fleetwall.history_truncate()', kind);
    END LOOP;
END $$;
CREATE TRIGGER history_update AFTER UPDATE ON fleetwall.rule REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows
    FOR EACH STATEMENT EXECUTE FUNCTION fleetwall.history_rule_update();
CREATE TRIGGER history_delete AFTER DELETE ON fleetwall.rule REFERENCING OLD TABLE AS old_rows
    FOR EACH STATEMENT EXECUTE FUNCTION fleetwall.history_rule_delete();
CREATE TRIGGER history_truncate BEFORE TRUNCATE ON fleetwall.rule
    FOR EACH STATEMENT EXECUTE FUNCTION fleetwall.history_truncate();

REVOKE EXECUTE ON FUNCTION fleetwall.history_begin(), fleetwall.history_insert(), fleetwall.history_update(), fleetwall.history_delete(),
    fleetwall.history_truncate(), fleetwall.history_rule_update(), fleetwall.history_rule_delete(), fleetwall.rule_derive(), fleetwall.rule_peer_derive(),
    fleetwall.rule_complete() FROM PUBLIC;
