-- $1 finding, $2 code, $3 subject, $4 why, $5 until or null. It was withdrawn before, in the same transaction: somebody else who is as quick has said why.
INSERT INTO fleetwall.lint_acceptance (finding, code, subject, reason, until) VALUES ($1, $2, $3, $4, $5::timestamptz) ON CONFLICT (finding) DO NOTHING
