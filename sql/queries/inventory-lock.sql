-- One import at a time, and nobody who writes with plain SQL meanwhile. Reading goes on. Always in this order.
SELECT pg_advisory_xact_lock(hashtext('fleetwall.inventory'));
LOCK TABLE fleetwall.network, fleetwall.network_prefix, fleetwall.service, fleetwall.service_port, fleetwall.machine, fleetwall.address,
           fleetwall.role, fleetwall.member, fleetwall.rule, fleetwall.rule_peer IN SHARE ROW EXCLUSIVE MODE;
