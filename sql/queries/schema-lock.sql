-- One process at a time changes the schema; until the end of the transaction.
SELECT pg_advisory_xact_lock(hashtextextended('fleetwall schema', 0))
