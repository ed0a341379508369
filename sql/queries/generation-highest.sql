-- The highest number of a generation, 0 when there is none. Whoever takes the next one waits for the others.
SELECT coalesce(max(number), 0) FROM fleetwall.generation,
       (SELECT pg_advisory_xact_lock(hashtextextended('fleetwall generation', 0))) AS one_at_a_time
