-- $1 finding: one row if it was accepted.
DELETE FROM fleetwall.lint_acceptance WHERE finding = $1 RETURNING finding
