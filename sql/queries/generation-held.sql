-- The generations that must stay, ascending. Until the transaction ends nobody pins one or confirms one; and no machine gets another one to go back to
-- unless it confirms, which machine_generation has first.
SELECT generation FROM fleetwall.generation_pin
UNION
SELECT generation FROM fleetwall.machine_generation
UNION
SELECT before_generation FROM fleetwall.push_machine WHERE before_generation IS NOT NULL
ORDER BY 1
