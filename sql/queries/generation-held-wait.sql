-- How long to wait for pins and confirmations that are under way, until the transaction ends.
SET LOCAL lock_timeout = '2s'
