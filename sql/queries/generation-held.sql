-- The generations that must stay, ascending. Until the transaction ends nobody pins one or confirms one.
SELECT generation FROM fleetwall.generation_pin UNION SELECT generation FROM fleetwall.machine_generation ORDER BY 1
