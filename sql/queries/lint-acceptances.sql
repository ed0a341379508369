-- What was accepted: finding, code, subject, reason, until, who, at, and has it ended?
SELECT finding, code, subject, reason, to_char(until AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"'), who,
       to_char(at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"'), coalesce(until <= now(), false)
FROM fleetwall.lint_acceptance
ORDER BY code, subject, finding
