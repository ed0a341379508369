-- $1 a time in seconds since 1970, $2 a transaction, $3 a change, $4 a snapshot: what fleetwall.rows_later takes back. Until the transaction ends.
SELECT set_config('fleetwall.at', coalesce(to_timestamp($1::bigint)::text, ''), true),
       set_config('fleetwall.without_transaction', coalesce($2, ''), true),
       set_config('fleetwall.without_change', coalesce($3, ''), true),
       set_config('fleetwall.at_snapshot', coalesce($4, ''), true)
