-- Pushing: what each machine was offered and has confirmed, runs and their work, halts, freezes, probes, approvals. Nothing of this decides what a
-- generation holds, so it is not in the history, which is what wakes watch, what undo takes back, and what an inventory of the past is made of:
-- freezes and probes say themselves who made them, and when.

CREATE FUNCTION fleetwall.person() RETURNS text
    LANGUAGE sql STABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
    SELECT CASE WHEN caller IS NULL THEN session_user::text WHEN caller = session_user THEN caller ELSE caller || ' (' || session_user || ')' END
    FROM (SELECT nullif(left(regexp_replace(current_setting('fleetwall.os_user', true), '[\x01-\x1f\x7f]', '', 'g'), 255), '') AS caller) AS one
$$;
COMMENT ON FUNCTION fleetwall.person IS 'Who does this, for people: the person at the command, as the command says, and the database user behind it where that is another name';

-- --- machines ---

-- No foreign keys to the machine and to generations: what a machine has outlives its row in the inventory, and the generation is held by
-- machine_generation, and while it is `before`, by this table (see sql/queries/generation-held.sql).
CREATE TABLE fleetwall.push_machine (
    machine              text COLLATE "C" PRIMARY KEY,
    fence                bigint NOT NULL DEFAULT 0 CHECK (fence >= 0),
    offered_generation   bigint CHECK (offered_generation > 0),
    offered_ruleset      bytea CHECK (length(offered_ruleset) = 32),
    offered_position     bytea CHECK (length(offered_position) = 32),
    offered_at           timestamptz CHECK (isfinite(offered_at)),
    confirmed_generation bigint CHECK (confirmed_generation > 0),
    confirmed_ruleset    bytea CHECK (length(confirmed_ruleset) = 32),
    confirmed_position   bytea CHECK (length(confirmed_position) = 32),
    confirmed_at         timestamptz CHECK (isfinite(confirmed_at)),
    before_generation    bigint CHECK (before_generation > 0),
    before_ruleset       bytea CHECK (length(before_ruleset) = 32),
    before_position      bytea CHECK (length(before_position) = 32),
    before_at            timestamptz CHECK (isfinite(before_at)),
    machine_id           text COLLATE "C" CHECK (machine_id ~ '^[A-Za-z0-9._-]{1,255}$'),
    script               bytea CHECK (length(script) = 32),
    attempts             integer NOT NULL DEFAULT 0 CHECK (attempts >= 0),
    failure              text CHECK (failure <> ''),
    message              fleetwall.line,
    failed_at            timestamptz CHECK (isfinite(failed_at)),
    needs_person         boolean NOT NULL DEFAULT false,
    whole                boolean NOT NULL DEFAULT false,
    drift_at             timestamptz CHECK (isfinite(drift_at)),
    drift                fleetwall.line CHECK (drift <> ''),
    drifted_at           timestamptz CHECK (isfinite(drifted_at)),
    CONSTRAINT push_machine_offered CHECK (num_nonnulls(offered_generation, offered_ruleset, offered_position, offered_at) IN (0, 4)),
    CONSTRAINT push_machine_confirmed CHECK (num_nonnulls(confirmed_generation, confirmed_ruleset, confirmed_position, confirmed_at) IN (0, 4)),
    CONSTRAINT push_machine_before CHECK (num_nonnulls(before_generation, before_ruleset, before_position, before_at) IN (0, 4)),
    CONSTRAINT push_machine_failure CHECK (num_nonnulls(failure, message, failed_at) IN (0, 3) AND (failure IS NOT NULL OR NOT needs_person)),
    CONSTRAINT push_machine_drift CHECK (num_nonnulls(drift, drifted_at) IN (0, 2))
) WITH (fillfactor = 70);
COMMENT ON TABLE fleetwall.push_machine IS 'What a machine was offered, what it has confirmed, and how the last attempt went; written by pushers alone';
COMMENT ON COLUMN fleetwall.push_machine.machine IS 'The machine''s name; it may be gone from the inventory';
COMMENT ON COLUMN fleetwall.push_machine.fence IS 'Of the last claim, of any run: what is reported with another one counts for nothing; 0: there was none';
COMMENT ON COLUMN fleetwall.push_machine.offered_generation IS 'The generation that was sent last, whether it was confirmed or not; null: none';
COMMENT ON COLUMN fleetwall.push_machine.offered_ruleset IS 'The digest of its ruleset there, as in the manifest';
COMMENT ON COLUMN fleetwall.push_machine.offered_position IS 'The digest of that ruleset and of the sets that it names';
COMMENT ON COLUMN fleetwall.push_machine.offered_at IS 'When it was sent';
COMMENT ON COLUMN fleetwall.push_machine.confirmed_generation IS 'The generation that it confirmed last; null: none';
COMMENT ON COLUMN fleetwall.push_machine.confirmed_ruleset IS 'The digest of its ruleset there';
COMMENT ON COLUMN fleetwall.push_machine.confirmed_position IS 'The digest of that ruleset and of the sets that it names';
COMMENT ON COLUMN fleetwall.push_machine.confirmed_at IS 'When it confirmed';
COMMENT ON COLUMN fleetwall.push_machine.before_generation IS 'The generation of the position before, to which rollback goes back; it is not collected; null: there is none';
COMMENT ON COLUMN fleetwall.push_machine.before_ruleset IS 'The digest of its ruleset there';
COMMENT ON COLUMN fleetwall.push_machine.before_position IS 'The digest of that ruleset and of the sets that it names; another one than the one that is confirmed';
COMMENT ON COLUMN fleetwall.push_machine.before_at IS 'When it was confirmed';
COMMENT ON COLUMN fleetwall.push_machine.machine_id IS 'Its machine-id, pinned at the first confirm; null: not known yet';
COMMENT ON COLUMN fleetwall.push_machine.script IS 'SHA-256 of the fleetwall-host that it has; null: not known';
COMMENT ON COLUMN fleetwall.push_machine.attempts IS 'How often it was claimed since the last confirm';
COMMENT ON COLUMN fleetwall.push_machine.failure IS 'What kind of failure the last attempt ended with: unreachable, host-key, …; null: it went well, or is under way';
COMMENT ON COLUMN fleetwall.push_machine.message IS 'What was said of it';
COMMENT ON COLUMN fleetwall.push_machine.failed_at IS 'When that was';
COMMENT ON COLUMN fleetwall.push_machine.needs_person IS 'It does not go away by itself';
COMMENT ON COLUMN fleetwall.push_machine.whole IS 'What it has is not what it confirmed, or may not be: the next push sends it all of its ruleset';
COMMENT ON COLUMN fleetwall.push_machine.drift_at IS 'When drift last asked it whether it still has that; null: never';
COMMENT ON COLUMN fleetwall.push_machine.drift IS 'What drift found otherwise than it was confirmed, the first of it; null: nothing, or it has had all of it sent since';
COMMENT ON COLUMN fleetwall.push_machine.drifted_at IS 'When that was found';
CREATE INDEX push_machine_before ON fleetwall.push_machine (before_generation) WHERE before_generation IS NOT NULL;
COMMENT ON INDEX fleetwall.push_machine_before IS 'The generations that are held for rollback';

CREATE TABLE fleetwall.machine_freeze (
    machine text COLLATE "C" PRIMARY KEY REFERENCES fleetwall.machine ON UPDATE CASCADE ON DELETE CASCADE,
    reason  fleetwall.line NOT NULL CHECK (reason ~ '[^ ]'),
    who     text NOT NULL DEFAULT fleetwall.person(),
    at      timestamptz NOT NULL DEFAULT now()
);
COMMENT ON TABLE fleetwall.machine_freeze IS 'A machine that nothing is pushed to, until its row here is deleted';
COMMENT ON COLUMN fleetwall.machine_freeze.machine IS 'The machine';
COMMENT ON COLUMN fleetwall.machine_freeze.reason IS 'Why';
COMMENT ON COLUMN fleetwall.machine_freeze.who IS 'Who said so';
COMMENT ON COLUMN fleetwall.machine_freeze.at IS 'Since when';

-- --- runs ---

CREATE SEQUENCE fleetwall.push_fence;
COMMENT ON SEQUENCE fleetwall.push_fence IS 'The fence of a claim; a machine refuses a lower one than it has seen. Each new run moves it up to the time in milliseconds, so that a database that was read back from a dump does not begin below what machines have seen';

CREATE TABLE fleetwall.push_run (
    number       bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    generation   bigint NOT NULL REFERENCES fleetwall.generation,
    state        text NOT NULL DEFAULT 'running' CHECK (state IN ('running', 'done', 'stopped', 'superseded')),
    reason       fleetwall.line CHECK (reason <> ''),
    who          text NOT NULL DEFAULT fleetwall.person(),
    started      timestamptz NOT NULL DEFAULT now(),
    ended        timestamptz,
    wave         integer NOT NULL DEFAULT 0 CHECK (wave >= 0),
    waves        integer NOT NULL CHECK (waves > 0),
    max_failures integer NOT NULL CHECK (max_failures >= 0),
    items        bigint NOT NULL CHECK (items >= 0),
    rollback     boolean NOT NULL DEFAULT false,
    CONSTRAINT push_run_wave CHECK (wave < waves),
    CONSTRAINT push_run_ended CHECK ((state = 'running') = (ended IS NULL)),
    CONSTRAINT push_run_reason CHECK ((state IN ('stopped', 'superseded')) = (reason IS NOT NULL))
) WITH (fillfactor = 50);
COMMENT ON TABLE fleetwall.push_run IS 'One push of a generation to some machines; the latest are kept, up to a hundred of them and a million machines';
COMMENT ON COLUMN fleetwall.push_run.number IS 'Counts up';
COMMENT ON COLUMN fleetwall.push_run.generation IS 'What is pushed; pinned while the run is running or stopped';
COMMENT ON COLUMN fleetwall.push_run.state IS 'running; done: all of its work is final; stopped: it may be resumed; superseded: another run took its place';
COMMENT ON COLUMN fleetwall.push_run.reason IS 'Why it was stopped or superseded';
COMMENT ON COLUMN fleetwall.push_run.who IS 'Who began it';
COMMENT ON COLUMN fleetwall.push_run.started IS 'When it began';
COMMENT ON COLUMN fleetwall.push_run.ended IS 'When it was done, stopped or superseded; null: it is running';
COMMENT ON COLUMN fleetwall.push_run.wave IS 'The wave that is open, from 0';
COMMENT ON COLUMN fleetwall.push_run.waves IS 'How many there are';
COMMENT ON COLUMN fleetwall.push_run.max_failures IS 'How many machines of a wave may fail';
COMMENT ON COLUMN fleetwall.push_run.items IS 'How many machines it is about';
COMMENT ON COLUMN fleetwall.push_run.rollback IS 'Machines go back by it: a halt does not hold it up';
CREATE UNIQUE INDEX push_run_one ON fleetwall.push_run ((true)) WHERE state = 'running';
COMMENT ON INDEX fleetwall.push_run_one IS 'One run at a time';
CREATE INDEX push_run_generation ON fleetwall.push_run (generation);
COMMENT ON INDEX fleetwall.push_run_generation IS 'The runs of a generation';

-- Rows change their state twice, each time into other indexes: what is final is in none but the key's. What the planner knows of a run that has just
-- begun is what was true before it: so that it never looks for a machine by reading all of a run, the key begins with the machine, and queries about one
-- machine say that a row is claimed by its lease, for which there is no index.
CREATE TABLE fleetwall.push_work (
    run      bigint NOT NULL REFERENCES fleetwall.push_run ON DELETE CASCADE,
    machine  text COLLATE "C" NOT NULL,
    wave     integer NOT NULL CHECK (wave >= 0),
    ruleset  bytea NOT NULL CHECK (length(ruleset) = 32),
    position bytea NOT NULL CHECK (length(position) = 32),
    adopt    boolean NOT NULL DEFAULT false,
    cut      boolean NOT NULL DEFAULT false,
    rollback boolean NOT NULL DEFAULT false,
    stay     fleetwall.line CHECK (stay ~ '[^ ]'),
    state    text NOT NULL DEFAULT 'waiting' CHECK (state IN ('waiting', 'claimed', 'confirmed', 'failed', 'skipped')),
    at       timestamptz NOT NULL DEFAULT now(),
    due      timestamptz NOT NULL DEFAULT '-infinity',
    attempt  integer NOT NULL DEFAULT 0 CHECK (attempt >= 0),
    fence    bigint CHECK (fence > 0),
    pusher   fleetwall.line,
    lease    timestamptz CHECK (isfinite(lease)),
    failure  text CHECK (failure <> ''),
    message  fleetwall.line,
    counts   boolean NOT NULL DEFAULT true,
    PRIMARY KEY (machine, run),
    CONSTRAINT push_work_claimed CHECK ((state = 'claimed') = (lease IS NOT NULL) AND (state <> 'claimed' OR (fence IS NOT NULL AND pusher IS NOT NULL))),
    CONSTRAINT push_work_failed CHECK (state <> 'failed' OR failure IS NOT NULL),
    CONSTRAINT push_work_skipped CHECK (state <> 'skipped' OR message IS NOT NULL)
);
COMMENT ON TABLE fleetwall.push_work IS 'What a run has to do for one machine, and how far that is; written by pushers alone';
COMMENT ON COLUMN fleetwall.push_work.run IS 'push_run.number';
COMMENT ON COLUMN fleetwall.push_work.machine IS 'The machine''s name; it may be gone from the inventory, then it is skipped';
COMMENT ON COLUMN fleetwall.push_work.wave IS 'Nothing of a wave is claimed before all of the one before is final';
COMMENT ON COLUMN fleetwall.push_work.ruleset IS 'The digest of the ruleset that it shall have';
COMMENT ON COLUMN fleetwall.push_work.position IS 'The digest of that ruleset and of the sets that it names';
COMMENT ON COLUMN fleetwall.push_work.adopt IS 'Rules that are not ours may be replaced at the first push';
COMMENT ON COLUMN fleetwall.push_work.cut IS 'Established connections that are no longer allowed end';
COMMENT ON COLUMN fleetwall.push_work.rollback IS 'The machine may go back to an older generation';
COMMENT ON COLUMN fleetwall.push_work.stay IS 'Why the machine is frozen from the moment that it confirms, or that another push takes the place of this one; null: it is not';
COMMENT ON COLUMN fleetwall.push_work.state IS 'waiting, claimed; final: confirmed, failed, skipped';
COMMENT ON COLUMN fleetwall.push_work.at IS 'Since when it is in that state';
COMMENT ON COLUMN fleetwall.push_work.due IS 'waiting: not to be claimed before';
COMMENT ON COLUMN fleetwall.push_work.attempt IS 'How often it was claimed';
COMMENT ON COLUMN fleetwall.push_work.fence IS 'Of the last claim';
COMMENT ON COLUMN fleetwall.push_work.pusher IS 'Who claimed it last: host:pid';
COMMENT ON COLUMN fleetwall.push_work.lease IS 'claimed: until when; then another pusher may take it over';
COMMENT ON COLUMN fleetwall.push_work.failure IS 'What kind of failure the last attempt ended with; null: none';
COMMENT ON COLUMN fleetwall.push_work.message IS 'What was said of it; skipped: why';
COMMENT ON COLUMN fleetwall.push_work.counts IS 'failed: it counts against max_failures; false: it failed before the run was resumed';
CREATE INDEX push_work_waiting ON fleetwall.push_work (run, wave, due, machine) WHERE state = 'waiting';
COMMENT ON INDEX fleetwall.push_work_waiting IS 'What may be claimed next';
CREATE INDEX push_work_leases ON fleetwall.push_work (run, wave, lease) WHERE state = 'claimed';
COMMENT ON INDEX fleetwall.push_work_leases IS 'Whose lease ended';
CREATE INDEX push_work_failures ON fleetwall.push_work (run, wave) WHERE state = 'failed';
COMMENT ON INDEX fleetwall.push_work_failures IS 'The failures of a wave';
CREATE INDEX push_work_skips ON fleetwall.push_work (run) WHERE state = 'skipped';
COMMENT ON INDEX fleetwall.push_work_skips IS 'What was skipped in a run';

-- Counting a hundred thousand rows for each claim would cost more than the claim. Some rows a run, so that pushers do not wait for each other.
CREATE TABLE fleetwall.push_tally (
    run       bigint NOT NULL REFERENCES fleetwall.push_run ON DELETE CASCADE,
    slot      smallint NOT NULL CHECK (slot BETWEEN 0 AND 15),
    confirmed bigint NOT NULL CHECK (confirmed > 0),
    PRIMARY KEY (run, slot)
) WITH (fillfactor = 50);
COMMENT ON TABLE fleetwall.push_tally IS 'How many machines of a run have confirmed: the sum over its rows';
COMMENT ON COLUMN fleetwall.push_tally.run IS 'push_run.number';
COMMENT ON COLUMN fleetwall.push_tally.slot IS 'The fence, modulo 16';
COMMENT ON COLUMN fleetwall.push_tally.confirmed IS 'How many of these';

CREATE TABLE fleetwall.push_halt (
    one    boolean PRIMARY KEY DEFAULT true CHECK (one),
    reason fleetwall.line NOT NULL CHECK (reason ~ '[^ ]'),
    who    text NOT NULL DEFAULT fleetwall.person(),
    at     timestamptz NOT NULL DEFAULT now()
);
COMMENT ON TABLE fleetwall.push_halt IS 'While there is a row, nobody pushes: nothing is claimed, no run begins';
COMMENT ON COLUMN fleetwall.push_halt.one IS 'Always true: there is at most one row';
COMMENT ON COLUMN fleetwall.push_halt.reason IS 'Why';
COMMENT ON COLUMN fleetwall.push_halt.who IS 'Who said so';
COMMENT ON COLUMN fleetwall.push_halt.at IS 'Since when';

-- --- what people say beforehand ---

CREATE FUNCTION fleetwall.probe_valid(what text) RETURNS boolean
    LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS $$
    SELECT CASE WHEN what ~ '^[1-9][0-9]{0,4}/tcp$' THEN split_part(what, '/', 1)::integer <= 65535 ELSE false END
$$;
COMMENT ON FUNCTION fleetwall.probe_valid IS 'Is this something that a probe can try? PORT/tcp, the port from 1 to 65535';

CREATE TABLE fleetwall.probe (
    machine text COLLATE "C" NOT NULL REFERENCES fleetwall.machine ON UPDATE CASCADE ON DELETE CASCADE,
    what    text COLLATE "C" NOT NULL CHECK (fleetwall.probe_valid(what)),
    open    boolean NOT NULL,
    source  text COLLATE "C" REFERENCES fleetwall.machine ON UPDATE CASCADE ON DELETE CASCADE,
    who     text NOT NULL DEFAULT fleetwall.person(),
    at      timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT probe_source CHECK (source <> machine)
);
COMMENT ON TABLE fleetwall.probe IS 'What must, or must not, answer after a push, before it is confirmed';
COMMENT ON COLUMN fleetwall.probe.machine IS 'The machine that is tried';
COMMENT ON COLUMN fleetwall.probe.what IS 'PORT/tcp';
COMMENT ON COLUMN fleetwall.probe.open IS 'It must answer; false: it must not';
COMMENT ON COLUMN fleetwall.probe.source IS 'The machine that it is tried from; null: the pusher';
COMMENT ON COLUMN fleetwall.probe.who IS 'Who said so';
COMMENT ON COLUMN fleetwall.probe.at IS 'Since when';
CREATE UNIQUE INDEX probe_once ON fleetwall.probe (machine, what, coalesce(source, ''));
COMMENT ON INDEX fleetwall.probe_once IS 'A probe of a machine from the same place is there once: it can''t be open and closed';
CREATE INDEX probe_source ON fleetwall.probe (source) WHERE source IS NOT NULL;
COMMENT ON INDEX fleetwall.probe_source IS 'The probes that a machine is the source of';

CREATE TABLE fleetwall.generation_approval (
    generation bigint PRIMARY KEY REFERENCES fleetwall.generation ON DELETE CASCADE,
    who        text NOT NULL DEFAULT fleetwall.person(),
    at         timestamptz NOT NULL DEFAULT now()
);
COMMENT ON TABLE fleetwall.generation_approval IS 'A generation that a person approved: nightly may push it, whatever it opens';
COMMENT ON COLUMN fleetwall.generation_approval.generation IS 'The generation';
COMMENT ON COLUMN fleetwall.generation_approval.who IS 'Who approved it';
COMMENT ON COLUMN fleetwall.generation_approval.at IS 'When';

-- --- what people ask ---

CREATE VIEW fleetwall.push_status AS
    SELECT coalesce(m.name::text, p.machine) AS machine,
           CASE WHEN m.name IS NULL THEN 'gone' WHEN NOT m.enabled THEN 'disabled' WHEN f.machine IS NOT NULL THEN 'frozen'
                WHEN busy.run IS NOT NULL THEN 'pushing' WHEN p.needs_person THEN 'needs-person' WHEN waits.machine IS NOT NULL THEN 'waiting'
                WHEN p.failure IS NOT NULL THEN 'failed' WHEN p.drift IS NOT NULL THEN 'drifted' WHEN p.confirmed_generation IS NOT NULL THEN 'confirmed' ELSE 'never' END AS state,
           p.confirmed_generation AS generation, p.confirmed_at, p.offered_generation, p.offered_at, p.before_generation,
           coalesce(p.attempts, 0) AS attempts, p.failure, p.message, p.failed_at, coalesce(p.needs_person, false) AS needs_person,
           p.drift::text AS drift, p.drifted_at,
           f.reason::text AS frozen, f.who AS frozen_by, f.at AS frozen_at, coalesce(busy.run, waits.run) AS run, busy.pusher::text AS pusher
    FROM fleetwall.machine AS m
    FULL JOIN fleetwall.push_machine AS p ON p.machine = m.name::text
    LEFT JOIN fleetwall.machine_freeze AS f ON f.machine = m.name::text
    LEFT JOIN fleetwall.push_work AS busy ON busy.machine = p.machine AND busy.fence = p.fence AND busy.lease > now()
    LEFT JOIN (SELECT w.machine, w.run FROM fleetwall.push_work AS w JOIN fleetwall.push_run AS r ON r.number = w.run
               WHERE r.state = 'running' AND w.state IN ('waiting', 'claimed')) AS waits
           ON waits.machine = coalesce(m.name::text, p.machine);
COMMENT ON VIEW fleetwall.push_status IS 'How it is with pushing to a machine; all that the inventory or the pushers know';
COMMENT ON COLUMN fleetwall.push_status.state IS 'The first that holds of: gone (from the inventory), disabled, frozen, pushing (somebody is at it), needs-person, waiting (in the run that is running), failed (the last attempt), drifted (it has something else than it confirmed), confirmed, never (pushed)';
COMMENT ON COLUMN fleetwall.push_status.generation IS 'The generation that it confirmed last; later ones may have the same for it';
COMMENT ON COLUMN fleetwall.push_status.before_generation IS 'Where rollback goes back to';
COMMENT ON COLUMN fleetwall.push_status.attempts IS 'How often it was claimed since the last confirm';
COMMENT ON COLUMN fleetwall.push_status.failure IS 'What kind of failure the last attempt ended with';
COMMENT ON COLUMN fleetwall.push_status.drift IS 'What drift found otherwise than it was confirmed';
COMMENT ON COLUMN fleetwall.push_status.frozen IS 'Why nothing is pushed to it; null: it is not frozen';
COMMENT ON COLUMN fleetwall.push_status.run IS 'The run that it is claimed, or waits, in';
COMMENT ON COLUMN fleetwall.push_status.pusher IS 'Who is at it';
