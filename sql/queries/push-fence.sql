-- Moves the fence up to the time in milliseconds. Only while nobody claims.
SELECT setval('fleetwall.push_fence', floor(extract(epoch FROM clock_timestamp()) * 1000)::bigint)
  FROM fleetwall.push_fence WHERE last_value < floor(extract(epoch FROM clock_timestamp()) * 1000)::bigint
