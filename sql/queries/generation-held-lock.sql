-- Keeps pins and confirmations out until the transaction ends; gives up soon where somebody is at it.
LOCK TABLE fleetwall.generation_pin, fleetwall.machine_generation IN SHARE MODE
