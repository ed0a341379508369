-- $1 new keys for rules.
SELECT nextval(pg_get_serial_sequence('fleetwall.rule', 'key'))
  FROM generate_series(1, $1::bigint)
