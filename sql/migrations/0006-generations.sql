-- Generations: which snapshot of the inventory each was made from, which one an old one was made again from, and which must not be collected.

ALTER TABLE fleetwall.generation
    ADD COLUMN snapshot pg_snapshot,
    ADD COLUMN of bigint CHECK (of > 0 AND of < number);
COMMENT ON COLUMN fleetwall.generation.snapshot IS 'What the run that made it could see: a transaction of the history that is not visible in it came later';
COMMENT ON COLUMN fleetwall.generation.of IS 'The older generation that was published again as this one; null: it was made from the inventory';

CREATE TABLE fleetwall.generation_pin (
    generation bigint NOT NULL REFERENCES fleetwall.generation ON DELETE CASCADE,
    holder     text NOT NULL CHECK (holder <> ''),
    at         timestamptz NOT NULL DEFAULT now(),
    who        text NOT NULL DEFAULT session_user,
    PRIMARY KEY (generation, holder)
);
COMMENT ON TABLE fleetwall.generation_pin IS 'A generation that is still needed, and by whom: it is not collected';
COMMENT ON COLUMN fleetwall.generation_pin.generation IS 'The generation';
COMMENT ON COLUMN fleetwall.generation_pin.holder IS 'What needs it: a push, or the words of a person';
COMMENT ON COLUMN fleetwall.generation_pin.at IS 'Since when';
COMMENT ON COLUMN fleetwall.generation_pin.who IS 'The database user who pinned it';

-- No foreign key to the machine: what a machine has outlives its row in the inventory.
CREATE TABLE fleetwall.machine_generation (
    machine    text COLLATE "C" PRIMARY KEY,
    generation bigint NOT NULL REFERENCES fleetwall.generation,
    at         timestamptz NOT NULL DEFAULT now()
);
COMMENT ON TABLE fleetwall.machine_generation IS 'The generation that a machine confirmed last: it is not collected';
COMMENT ON COLUMN fleetwall.machine_generation.machine IS 'The machine''s name';
COMMENT ON COLUMN fleetwall.machine_generation.generation IS 'What it runs';
COMMENT ON COLUMN fleetwall.machine_generation.at IS 'When it confirmed';
CREATE INDEX machine_generation_generation ON fleetwall.machine_generation (generation);
