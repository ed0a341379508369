-- Is pushing halted? Why, who said so, since when (seconds since 1970); no row if it is not.
SELECT reason, who, floor(extract(epoch FROM at))::bigint FROM fleetwall.push_halt
