#!/bin/sh
# Which rules let a packet in: for each question that comes with the real fleets and that rules allow, `explain` must name exactly the
# allow rules of the machine's roles that cover the packet. Another judge says which those are: one query on the rows. What explain
# names, `query rules` must list for that machine (one in nine is asked). Fleets that are not there are skipped.
set -u
. tests/live/lib/command.sh
fleets=../shared/fleets
skipped=0

# machine, direction, the other end, protocol, port: as the questions are; then what explain said.
cat > "$home/judge.sql" << 'END'
CREATE TEMP TABLE answer (machine text, direction text, other inet, protocol text, port text, verdict text, stage text, ids text);
\copy answer FROM pstdin
CREATE TEMP TABLE question AS
    SELECT row_number() OVER () AS number, a.*, nullif(a.port, '')::integer AS at,
           CASE a.protocol WHEN 'tcp' THEN 6 WHEN 'udp' THEN 17 WHEN 'esp' THEN 50 WHEN 'ah' THEN 51 WHEN 'gre' THEN 47 WHEN 'vrrp' THEN 112
               WHEN 'icmp' THEN CASE family(a.other) WHEN 4 THEN 1 ELSE 58 END WHEN 'icmpv6' THEN 58 WHEN 'icmpv4' THEN 1
               WHEN 'sctp' THEN 132 WHEN 'udplite' THEN 136 WHEN 'ipip' THEN 4 WHEN 'igmp' THEN 2 END AS number_of
    FROM answer AS a;
-- Each rule that a machine with a question has, and the addresses that its peers stand for, as ranges.
CREATE TEMP TABLE span AS
    SELECT p.rule, p.first_address AS first, p.last_address AS last FROM fleetwall.rule_peer AS p WHERE p.kind = 'literal'
    UNION ALL
    SELECT p.rule, host(network(n.prefix))::inet, host(broadcast(n.prefix))::inet
    FROM fleetwall.rule_peer AS p JOIN fleetwall.network_prefix AS n ON n.network = p.network
    UNION ALL
    SELECT p.rule, a.address, a.address
    FROM fleetwall.rule_peer AS p JOIN fleetwall.machine AS m ON m.name = p.machine AND m.enabled JOIN fleetwall.address AS a ON a.machine = m.name
    UNION ALL
    SELECT p.rule, a.address, a.address
    FROM fleetwall.rule_peer AS p JOIN fleetwall.rule AS r ON r.key = p.rule
    JOIN fleetwall.role_address AS a ON a.role = CASE p.kind WHEN 'self' THEN r.role ELSE p.role END AND (p.label IS NULL OR p.label = a.label)
    WHERE p.kind IN ('self', 'role');
CREATE INDEX ON span (rule);
CREATE TEMP TABLE expected AS
    SELECT q.number, string_agg(DISTINCT u.id, ',' ORDER BY u.id) AS ids
    FROM question AS q
    JOIN fleetwall.role_member AS m ON m.machine = q.machine
    JOIN fleetwall.rule AS u ON u.role = m.role AND u.action = 'allow' AND u.enabled
        AND u.direction = CASE q.direction WHEN 'in' THEN 'from' ELSE 'to' END
    WHERE u.interface IS NULL AND (u.since IS NULL OR u.since <= now()) AND (u.until IS NULL OR u.until > now())
      AND CASE u.what
          WHEN 'all' THEN true
          WHEN 'protocol' THEN u.protocol = q.number_of
          WHEN 'ports' THEN u.protocol = q.number_of AND u.ports @> q.at
          WHEN 'service' THEN EXISTS (SELECT FROM fleetwall.service_port AS s WHERE s.service = u.service AND s.protocol = q.number_of AND s.ports @> q.at)
          -- explain takes a bare icmp as an echo request.
          ELSE q.number_of = ANY (CASE u.what WHEN 'icmp' THEN ARRAY[1, 58] WHEN 'icmpv4' THEN ARRAY[1] ELSE ARRAY[58] END)
              AND (u.icmp_name IS NULL AND u.icmp_type IS NULL OR u.icmp_name = 'echo-request') AND coalesce(u.icmp_code, 0) = 0 END
      AND (u.any_peer OR EXISTS (SELECT FROM span AS s WHERE s.rule = u.key AND family(s.first) = family(q.other) AND q.other BETWEEN s.first AND s.last))
    GROUP BY q.number;
\o :said
SELECT count(*) FROM question WHERE stage = 'allow';
\o :wrong
SELECT q.machine, q.direction, q.other, q.protocol, q.port, 'said ' || q.ids, 'is ' || coalesce(e.ids, '-')
FROM question AS q LEFT JOIN expected AS e USING (number)
WHERE q.stage = 'allow' AND (q.verdict <> 'allow' OR q.ids IS DISTINCT FROM e.ids) LIMIT 20;
\o :named
SELECT DISTINCT machine || ' ' || regexp_split_to_table(ids, ',') FROM question WHERE stage = 'allow' ORDER BY 1;
END

# FOLDER FEWEST: of its questions, so many at least are decided by allow rules.
try_fleet() {
	if [ ! -r "$fleets/$1/queries.csv" ]; then
		echo "SKIP $1: $fleets/$1 is not there"
		skipped=$((skipped + 1))
		return
	fi
	run 0 --state "$home/$1" init
	run 0 --state "$home/$1" import --csv "$fleets/$1"
	tr -d '\r' < "$fleets/$1/queries.csv" | awk -F, 'NR > 1' > "$home/rows"
	awk -F, '{ what = $5 == "" ? $4 : $5 "/" $4; print $2 == "in" ? $3 " " $1 " " what : $1 " " $3 " " what }' "$home/rows" > "$home/questions"
	input=$home/questions run 0 --state "$home/$1" explain -
	cut -f 1,5,6 "$home/out" > "$home/answers"
	tr , '\t' < "$home/rows" | cut -f 1-5 | paste - "$home/answers" > "$home/both"
	"$FLEETWALL" --state "$home/$1" sql -- -X -q -A -t -v ON_ERROR_STOP=1 -v said="$home/said" -v wrong="$home/wrong" -v named="$home/named" \
		-f "$home/judge.sql" < "$home/both" > "$home/out" 2> "$home/err" || fault 'the judge can not judge'
	holds "$1: rules decided enough of the questions" test "$(cat "$home/said")" -ge "$2"
	holds "$1: exactly the rules that cover the packet are named" sh -c "cat '$home/wrong'; test ! -s '$home/wrong'"
	rm -f "$home/asked"
	cut -d ' ' -f 1 "$home/named" | uniq | awk 'NR % 9 == 1' | while read -r machine; do
		"$FLEETWALL" --state "$home/$1" --json query rules "$machine" < /dev/null | jq -r '.items[] | .machine + " " + .rule_id' | LC_ALL=C sort > "$home/listed"
		grep "^$machine " "$home/named" | LC_ALL=C sort | LC_ALL=C comm -23 - "$home/listed"
		echo "$machine" >> "$home/asked"
	done > "$home/missing"
	holds "$1: query rules lists what explain names" sh -c "head -n 20 '$home/missing'; test \"\$(wc -l < '$home/asked')\" -gt 9 && test ! -s '$home/missing'"
	"$FLEETWALL" --state "$home/$1" database stop > /dev/null 2>&1
}

try_fleet opendev 500
try_fleet fedora-infra 500
[ "$skipped" -eq 0 ] || { echo "$passed passed, $failed failed, $skipped skipped"; exit $((failed > 0)); }
finish
