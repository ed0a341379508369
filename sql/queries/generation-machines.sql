-- How many machines the latest generation has a ruleset for; no row if there is none.
SELECT machines FROM fleetwall.generation ORDER BY number DESC LIMIT 1
