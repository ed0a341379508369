-- The same for who must not wait: pins and confirmations that are under way go first.
SET LOCAL lock_timeout = '20ms'
