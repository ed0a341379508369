-- Services that many fleets have, under the names that people use. `builtin` is true until somebody changes one.

INSERT INTO fleetwall.service (name, builtin)
    SELECT name, true FROM unnest(ARRAY[
        'amqp', 'amqps', 'bacula', 'bgp', 'cassandra', 'ceph', 'clickhouse', 'consul', 'dhcp', 'dhcpv6', 'dns', 'dns-over-tls', 'docker',
        'elasticsearch', 'etcd', 'ftp', 'git', 'grafana', 'graphite', 'http', 'http-alt', 'https', 'imap', 'imaps', 'influxdb', 'ipp', 'ipsec', 'iscsi',
        'kafka', 'kerberos', 'kubelet', 'kubernetes-api', 'ldap', 'ldaps', 'loki', 'memcached', 'mongodb', 'mosh', 'mqtt', 'mqtts', 'mssql', 'mysql',
        'nats', 'netbios', 'nfs', 'node-exporter', 'nrpe', 'ntp', 'openvpn', 'oracle', 'pop3', 'pop3s', 'postgresql', 'prometheus', 'puppet', 'radius',
        'rdp', 'redis', 'rpcbind', 'rsync', 'rtsp', 'salt', 'sip', 'smb', 'smtp', 'smtps', 'snmp', 'snmp-trap', 'squid', 'ssh', 'submission', 'svn',
        'syslog', 'syslog-tls', 'telnet', 'tftp', 'vnc', 'vxlan', 'winrm', 'wireguard', 'xmpp', 'zabbix-agent', 'zabbix-server', 'zookeeper']) AS name;

INSERT INTO fleetwall.service_port (service, protocol, ports)
    SELECT service, protocol, ports::int4multirange FROM (VALUES
        ('amqp', 6, '{[5672,5673)}'), ('amqps', 6, '{[5671,5672)}'), ('bacula', 6, '{[9101,9104)}'), ('bgp', 6, '{[179,180)}'),
        ('cassandra', 6, '{[7000,7002),[9042,9043)}'), ('ceph', 6, '{[3300,3301),[6789,6790),[6800,7301)}'),
        ('clickhouse', 6, '{[8123,8124),[9000,9001)}'), ('consul', 6, '{[8300,8303),[8500,8501)}'), ('consul', 17, '{[8301,8303)}'),
        ('dhcp', 17, '{[67,69)}'), ('dhcpv6', 17, '{[546,548)}'), ('dns', 6, '{[53,54)}'), ('dns', 17, '{[53,54)}'),
        ('dns-over-tls', 6, '{[853,854)}'), ('docker', 6, '{[2376,2377)}'), ('elasticsearch', 6, '{[9200,9201),[9300,9301)}'),
        ('etcd', 6, '{[2379,2381)}'), ('ftp', 6, '{[21,22)}'), ('git', 6, '{[9418,9419)}'), ('grafana', 6, '{[3000,3001)}'),
        ('graphite', 6, '{[2003,2005)}'), ('graphite', 17, '{[2003,2004)}'), ('http', 6, '{[80,81)}'), ('http-alt', 6, '{[8080,8081)}'),
        ('https', 6, '{[443,444)}'), ('imap', 6, '{[143,144)}'), ('imaps', 6, '{[993,994)}'), ('influxdb', 6, '{[8086,8087)}'),
        ('ipp', 6, '{[631,632)}'), ('ipsec', 17, '{[500,501),[4500,4501)}'), ('iscsi', 6, '{[3260,3261)}'), ('kafka', 6, '{[9092,9095)}'),
        ('kerberos', 6, '{[88,89),[464,465),[749,750)}'), ('kerberos', 17, '{[88,89),[464,465)}'), ('kubelet', 6, '{[10250,10251)}'),
        ('kubernetes-api', 6, '{[6443,6444)}'), ('ldap', 6, '{[389,390)}'), ('ldaps', 6, '{[636,637)}'), ('loki', 6, '{[3100,3101)}'),
        ('memcached', 6, '{[11211,11212)}'), ('mongodb', 6, '{[27017,27018)}'), ('mosh', 17, '{[60000,61001)}'), ('mqtt', 6, '{[1883,1884)}'),
        ('mqtts', 6, '{[8883,8884)}'), ('mssql', 6, '{[1433,1434)}'), ('mysql', 6, '{[3306,3307)}'), ('nats', 6, '{[4222,4223),[6222,6223)}'),
        ('netbios', 6, '{[139,140)}'), ('netbios', 17, '{[137,139)}'), ('nfs', 6, '{[2049,2050)}'), ('node-exporter', 6, '{[9100,9101)}'),
        ('nrpe', 6, '{[5666,5667)}'), ('ntp', 17, '{[123,124)}'), ('openvpn', 17, '{[1194,1195)}'), ('oracle', 6, '{[1521,1522)}'),
        ('pop3', 6, '{[110,111)}'), ('pop3s', 6, '{[995,996)}'), ('postgresql', 6, '{[5432,5433)}'), ('prometheus', 6, '{[9090,9091)}'),
        ('puppet', 6, '{[8140,8141)}'), ('radius', 17, '{[1812,1814)}'), ('rdp', 6, '{[3389,3390)}'), ('rdp', 17, '{[3389,3390)}'),
        ('redis', 6, '{[6379,6380)}'), ('rpcbind', 6, '{[111,112)}'), ('rpcbind', 17, '{[111,112)}'), ('rsync', 6, '{[873,874)}'),
        ('rtsp', 6, '{[554,555)}'), ('salt', 6, '{[4505,4507)}'), ('sip', 6, '{[5060,5062)}'), ('sip', 17, '{[5060,5061)}'),
        ('smb', 6, '{[445,446)}'), ('smtp', 6, '{[25,26)}'), ('smtps', 6, '{[465,466)}'), ('snmp', 17, '{[161,162)}'),
        ('snmp-trap', 17, '{[162,163)}'), ('squid', 6, '{[3128,3129)}'), ('ssh', 6, '{[22,23)}'), ('submission', 6, '{[587,588)}'),
        ('svn', 6, '{[3690,3691)}'), ('syslog', 6, '{[514,515)}'), ('syslog', 17, '{[514,515)}'), ('syslog-tls', 6, '{[6514,6515)}'),
        ('telnet', 6, '{[23,24)}'), ('tftp', 17, '{[69,70)}'), ('vnc', 6, '{[5900,5901)}'), ('vxlan', 17, '{[4789,4790)}'),
        ('winrm', 6, '{[5985,5987)}'), ('wireguard', 17, '{[51820,51821)}'), ('xmpp', 6, '{[5222,5223),[5269,5270)}'),
        ('zabbix-agent', 6, '{[10050,10051)}'), ('zabbix-server', 6, '{[10051,10052)}'),
        ('zookeeper', 6, '{[2181,2182),[2888,2889),[3888,3889)}')) AS port (service, protocol, ports);

-- What comes with the schema is nobody's change.
DELETE FROM fleetwall.history WHERE transaction = fleetwall.history_begin();
DELETE FROM fleetwall.history_transaction WHERE number = fleetwall.history_begin();

-- From here on, what is changed is no longer as it came.
CREATE FUNCTION fleetwall.service_own() RETURNS trigger
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    NEW.builtin := false;
    RETURN NEW;
END $$;
COMMENT ON FUNCTION fleetwall.service_own IS 'A new service, and one that is given another name, did not come with the schema';

CREATE FUNCTION fleetwall.service_changed() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    UPDATE fleetwall.service SET builtin = false WHERE builtin AND name IN (SELECT service FROM changed);
    RETURN NULL;
END $$;
COMMENT ON FUNCTION fleetwall.service_changed IS 'A service whose ports were changed is no longer as it came';
REVOKE EXECUTE ON FUNCTION fleetwall.service_changed() FROM PUBLIC;

CREATE TRIGGER service_new BEFORE INSERT ON fleetwall.service
    FOR EACH ROW WHEN (NEW.builtin) EXECUTE FUNCTION fleetwall.service_own();
CREATE TRIGGER service_renamed BEFORE UPDATE ON fleetwall.service
    FOR EACH ROW WHEN (NEW.builtin AND (NOT OLD.builtin OR NEW.name <> OLD.name)) EXECUTE FUNCTION fleetwall.service_own();
CREATE TRIGGER service_changed_insert AFTER INSERT ON fleetwall.service_port REFERENCING NEW TABLE AS changed
    FOR EACH STATEMENT EXECUTE FUNCTION fleetwall.service_changed();
CREATE TRIGGER service_changed_update AFTER UPDATE ON fleetwall.service_port REFERENCING NEW TABLE AS changed
    FOR EACH STATEMENT EXECUTE FUNCTION fleetwall.service_changed();
CREATE TRIGGER service_changed_from AFTER UPDATE ON fleetwall.service_port REFERENCING OLD TABLE AS changed
    FOR EACH STATEMENT EXECUTE FUNCTION fleetwall.service_changed();
CREATE TRIGGER service_changed_delete AFTER DELETE ON fleetwall.service_port REFERENCING OLD TABLE AS changed
    FOR EACH STATEMENT EXECUTE FUNCTION fleetwall.service_changed();
