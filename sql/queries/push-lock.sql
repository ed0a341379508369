-- Whoever begins, resumes, halts or supersedes runs does so alone, until the transaction ends.
SELECT pg_advisory_xact_lock(hashtextextended('fleetwall push', 0))
