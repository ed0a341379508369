-- $1 why: nobody pushes any more. Halted already: with the new reason.
INSERT INTO fleetwall.push_halt (reason) VALUES ($1)
ON CONFLICT (one) DO UPDATE SET reason = excluded.reason, who = excluded.who, at = excluded.at
