-- A run that does only what is new asks for the changes of a few transactions among millions. The BRIN index of 0001 leaves what vacuum has not
-- summarised to be read whole, which may be a fifth of the history, or all of it after an import.

CREATE INDEX history_of_transaction ON fleetwall.history (transaction);
COMMENT ON INDEX fleetwall.history_of_transaction IS 'The changes of a transaction';
DROP INDEX fleetwall.history_by_transaction;
