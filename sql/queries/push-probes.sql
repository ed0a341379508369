-- All probes, by machine, what and source.
SELECT machine, what, open, source FROM fleetwall.probe ORDER BY machine COLLATE "C", split_part(what, '/', 1)::integer, coalesce(source, '') COLLATE "C"
