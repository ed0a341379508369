-- Findings of lint that people have accepted: nothing that a generation depends on, so it is not in the history; it says itself who did it, and when.

CREATE TABLE fleetwall.lint_acceptance (
    finding text COLLATE "C" PRIMARY KEY CHECK (finding ~ '^[0-9a-f]{12}$'),
    code    text COLLATE "C" NOT NULL CHECK (code ~ '^[a-z]+(-[a-z]+)*$'),
    subject fleetwall.line NOT NULL CHECK (subject <> ''),
    reason  fleetwall.line NOT NULL CHECK (reason ~ '[^ ]'),
    until   timestamptz CHECK (isfinite(until)),
    who     text NOT NULL DEFAULT fleetwall.person(),
    at      timestamptz NOT NULL DEFAULT now()
);
COMMENT ON TABLE fleetwall.lint_acceptance IS 'A finding of lint that somebody accepted, found again or not';
COMMENT ON COLUMN fleetwall.lint_acceptance.finding IS 'Its id: 12 digits of SHA-256 over code, subject and what makes it this finding';
COMMENT ON COLUMN fleetwall.lint_acceptance.code IS 'What kind of finding it is, as fleetwall-lint(7) lists them';
COMMENT ON COLUMN fleetwall.lint_acceptance.subject IS 'What it is about';
COMMENT ON COLUMN fleetwall.lint_acceptance.reason IS 'Why it is right as it is';
COMMENT ON COLUMN fleetwall.lint_acceptance.until IS 'It counts until just before then; null: for good';
COMMENT ON COLUMN fleetwall.lint_acceptance.who IS 'Who accepted it';
COMMENT ON COLUMN fleetwall.lint_acceptance.at IS 'When';
