-- What can be known before anything is loaded. $1 a snapshot of this database, or null. What it did not see are transactions from its xmax on and
-- those that were open then; rows beyond the present snapshot were read back from a dump, and a snapshot from beyond it is not of this history. A
-- server whose files were set back gives the same numbers to other transactions: `seen` and `newest`, the last one that $1 and the present snapshot
-- saw, tell that.
SELECT greatest(floor(extract(epoch FROM now())), (SELECT ceil(extract(epoch FROM max(clock))) FROM fleetwall.generation))::bigint AS clock,
       concat_ws('.', (SELECT system_identifier FROM pg_control_system()),
           CASE WHEN NOT pg_is_in_recovery() THEN left(pg_walfile_name(pg_current_wal_lsn()), 8) ELSE 'recovery' END,
           (SELECT oid FROM pg_database WHERE datname = current_database()), 'fleetwall.machine'::regclass::oid,
           (SELECT max(number) FROM fleetwall.migration)) AS identity,
       pg_current_snapshot() AS snapshot,
       latest.number, encode(latest.digest, 'hex') AS digest,
       $1::pg_snapshot IS NULL OR pg_snapshot_xmax($1::pg_snapshot) > pg_snapshot_xmax(pg_current_snapshot())
           OR EXISTS (SELECT FROM fleetwall.history_transaction
                      WHERE xact >= pg_snapshot_xmax($1::pg_snapshot) AND xact < pg_snapshot_xmax(pg_current_snapshot()))
           OR EXISTS (SELECT FROM pg_snapshot_xip($1::pg_snapshot) AS open JOIN fleetwall.history_transaction AS t ON t.xact = open) AS changed,
       (SELECT concat_ws(' ', number, xact, extract(epoch FROM at)) FROM fleetwall.history_transaction
         WHERE xact < pg_snapshot_xmax($1::pg_snapshot) AND pg_visible_in_snapshot(xact, $1::pg_snapshot)
         ORDER BY xact DESC, at DESC LIMIT 1) AS seen,
       (SELECT concat_ws(' ', number, xact, extract(epoch FROM at)) FROM fleetwall.history_transaction
         WHERE xact < pg_snapshot_xmax(pg_current_snapshot()) AND pg_visible_in_snapshot(xact, pg_current_snapshot())
         ORDER BY xact DESC, at DESC LIMIT 1) AS newest
  FROM (VALUES (1)) AS one
  LEFT JOIN (SELECT number, digest FROM fleetwall.generation ORDER BY number DESC LIMIT 1) AS latest ON true
