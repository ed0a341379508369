-- One percent of the machines changed, in one transaction: those whose place by name is :round of every hundred. A fifth each: another
-- address, a role assigned, a role unassigned, another label, disabled. The same fleet and round give the same changes.
\set ON_ERROR_STOP on
BEGIN;
CREATE TEMP TABLE chosen ON COMMIT DROP AS
    SELECT name, (place / 100) % 5 AS change, place
    FROM (SELECT name, row_number() OVER (ORDER BY name) AS place FROM fleetwall.machine) AS m
    WHERE place % 100 = :round;

UPDATE fleetwall.address AS a SET address = a.address + 16777216
FROM chosen AS c
WHERE c.change = 0 AND a.machine = c.name AND family(a.address) = 4 AND a.label = 'private';

INSERT INTO fleetwall.member (role, machine)
SELECT r.name, c.name
FROM chosen AS c
JOIN (SELECT name, row_number() OVER (ORDER BY name) - 1 AS place, count(*) OVER () AS count
      FROM fleetwall.role WHERE selector IS NULL AND machine IS NULL) AS r ON r.place = (c.place * 7919) % r.count
WHERE c.change = 1
ON CONFLICT DO NOTHING;

DELETE FROM fleetwall.member AS m
USING chosen AS c
WHERE c.change = 2 AND m.machine = c.name AND m.role = (SELECT min(o.role) FROM fleetwall.member AS o WHERE o.machine = c.name);

UPDATE fleetwall.machine AS m SET labels = jsonb_set(m.labels, '{tier}', CASE m.labels ->> 'tier' WHEN 'front' THEN '"back"' ELSE '"front"' END::jsonb)
FROM chosen AS c
WHERE c.change = 3 AND m.name = c.name;

UPDATE fleetwall.machine AS m SET enabled = NOT m.enabled
FROM chosen AS c
WHERE c.change = 4 AND m.name = c.name;
COMMIT;
