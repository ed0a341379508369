#!/bin/sh
# query exposed and query matrix from the outside: rows, JSON, faults, another time; and on a real fleet, where there is one: what is
# told to be open is what explain says, rule by rule, and nothing that the fleet's own iptables files refuse.
set -u
. tests/live/lib/command.sh
fleets=../shared/fleets

cat > "$home/fleet.conf" << 'END'
networks = ( { name = "x-office"; prefixes = [ "9.1.0.0/24", "2a00:1::/48" ]; } );
roles = (
  { name = "x-app"; },
  { name = "x-shut"; egress = "closed"; rules = [ "allow 3306/tcp to role:x-db" ]; },
  { name = "x-db"; rules = [ "allow 3306/tcp from role:x-app, role:x-shut", "allow 22/tcp from network:x-office",
      "allow 80/tcp from role:x-shut", "deny 3306/tcp from machine:x-app2" ]; },
  { name = "x-web"; rules = [ "allow 80,443/tcp", "allow 8080/tcp", "deny 8080/tcp from 9.0.0.0/8", "allow 5001/tcp on eth0",
      "allow 9100/tcp from role:x-app, 10.0.0.0/8" ]; } );
machines = (
  { name = "x-app1"; addresses = [ "9.8.0.1" ]; roles = [ "x-app" ]; },
  { name = "x-app2"; addresses = [ "10.8.0.2" ]; roles = [ "x-app" ]; },
  { name = "x-shut1"; addresses = [ "10.8.1.1" ]; roles = [ "x-shut" ]; },
  { name = "x-db1"; addresses = [ "10.8.2.1" ]; roles = [ "x-db" ]; },
  { name = "x-web1"; addresses = [ "9.8.0.3" ]; roles = [ "x-web" ]; },
  { name = "x-watched"; roles = [ "x-web" ]; enforcement = "monitor"; },
  { name = "x-off"; roles = [ "x-web" ]; enabled = false; },
  { name = "x-other"; roles = [ "x-web" ]; enforcement = "unmanaged"; rules = [ "allow 7/tcp from role:x-app" ]; } );
END

# row LINE: the last run's output has this line, and no other like it.
row() {
	if [ "$(grep -cxF -- "$1" "$home/out")" -eq 1 ]; then passed=$((passed + 1)); else fault "no row: $1"; fi
}

# empty: the last run wrote nothing to standard output.
empty() {
	if [ -s "$home/out" ]; then fault 'says something'; else passed=$((passed + 1)); fi
}

run 0 init
# At a terminal somebody waits for an answer; a file stays empty, and CSV is CSV.
for question in 'query exposed' 'query matrix' 'probe list' 'lint accepted'; do
	# shellcheck disable=SC2086 # words
	run 0 $question
	empty
	script -qec "'$FLEETWALL' $question > '$home/list'" /dev/null > "$home/out" < /dev/null
	says 'nothing'
	holds 'no line on standard output' cmp "$home/list" /dev/null
done
run 0 --csv query exposed
row 'machine,what,sources,except,stage,roles,rules'
run 0 query matrix --columns from --no-headings
empty
run 0 import "$home/fleet.conf"
sleep 1
now=$(date -u +%Y-%m-%dT%H:%M:%SZ)

# --- exposed ---

run 0 query exposed --csv --columns machine,what,sources,except,stage,roles
row 'x-db1,22/tcp,network:x-office,,allow,x-db'
row 'x-off,all,anyone,,no-ruleset,'
row 'x-other,all,anyone,,no-ruleset,'
row 'x-watched,all,anyone,,monitor,'
row 'x-web1,"80,443/tcp",anyone,,allow,x-web'
row 'x-web1,5001/tcp on eth0,anyone,,allow,x-web'
row 'x-web1,8080/tcp,anyone,9.0.0.0/8,allow,x-web'
holds 'seven rows and a heading' [ "$(wc -l < "$home/out")" -eq 8 ]

run 0 query exposed X-WEB1 --from 10.0.0.0/8 --csv --columns machine,what,sources
row 'x-web1,9100/tcp,10.0.0.0/8'
run 0 query exposed x-db1 --from 10.0.0.0/8 --csv --columns what,sources
row '3306/tcp,role:x-shut'
run 0 query exposed --role x-shut
empty
run 0 query exposed x-db1 --role x-web
empty
run 0 query exposed 'x-[dw]*1' --role x-web --csv --columns machine,what --no-headings
row 'x-web1,8080/tcp'
holds 'of this role alone' [ "$(grep -vc '^x-web1,' "$home/out")" -eq 0 ]
run 2 query exposed 'y*'
complains "no machine's name is like \"y*\""
run 0 --json query exposed --role x-web x-web1
json '.command == "query exposed" and (.items | length) == 3 and .warnings == []'
json '.items[2] | .machine == "x-web1" and .what == ["8080/tcp"] and .sources == ["anyone"] and .except == ["9.0.0.0/8"]'
json '.items[0] | .stage == "allow" and .roles == ["x-web"] and (.rules | length) == 1'
run 2 query exposed x-wep1
complains 'did you mean x-web1?'
run 2 query exposed --role x-wep
complains 'did you mean x-web?'
run 2 query exposed --from 10.0.0.1/8
complains '10.0.0.0/8'
run 2 query exposed --from office
complains 'no prefix'

run 0 query exposed --json
cp "$home/out" "$home/present"
run 0 query exposed --json --at "$now"
cp "$home/out" "$home/then"
holds 'the same as of now' cmp "$home/then" "$home/present"

# For people machines with the same row share it.
run 0 query exposed --columns machine,what,sources
says 'x-off, x-other'
holds 'six rows and a heading' [ "$(wc -l < "$home/out")" -eq 7 ]

# --- on a terminal: as wide as it is, and no word is broken ---
for question in 'query matrix' 'query exposed' 'rule list' 'machine list'; do
	for width in 50 100; do
		# shellcheck disable=SC2086 # words
		"$FLEETWALL" --json $question | jq -r '.items[] | .rules // [.rule_id // .name] | .[]' | sort -u > "$home/words"
		script -qec "stty cols $width; '$FLEETWALL' $question" /dev/null < /dev/null | tr -d '\r' > "$home/list"
		holds "$question fits $width columns" [ -z "$(awk -v most="$width" 'length($0) > most' "$home/list")" ]
		holds "$question breaks no name" [ -z "$(tr -s ', :' '\n\n\n' < "$home/list" | sort -u | comm -13 - "$home/words")" ]
	done
done
# In a file a row is a line, with the first items of a long list; CSV has all.
run 0 network add many 10.1.0.0/24 10.1.2.0/24 10.1.4.0/24 10.1.6.0/24 10.1.8.0/24 10.1.10.0/24
run 0 network list
says '10.1.0.0/24, 10.1.2.0/24, 10.1.4.0/24, 10.1.6.0/24 and 2 more'
run 0 --csv network list
says '10.1.8.0/24, 10.1.10.0/24"'
silent_on 'more'
run 0 rule list
holds 'a rule a line' [ "$(wc -l < "$home/out")" -eq "$(($("$FLEETWALL" --csv --no-headings rule list | wc -l) + 1))" ]

# --- matrix ---

run 0 query matrix --csv --columns from,to,what,extent,from_machines,to_machines
row 'anyone,role:x-web,"80,443/tcp",all,,1'
row 'anyone,role:x-web,"5001,8080/tcp",some,,1'
row 'role:x-app,role:x-db,3306/tcp,some,1,1'
row 'role:x-app,role:x-web,9100/tcp,all,2,1'
row 'role:x-shut,role:x-db,3306/tcp,all,1,1'
row 'network:x-office,role:x-db,22/tcp,all,,1'
row '10.0.0.0/8,role:x-web,9100/tcp,all,,1'
holds 'seven rows and a heading' [ "$(wc -l < "$home/out")" -eq 8 ]
run 0 query matrix --from x-app --csv --columns from,to,what,extent
row 'role:x-app,role:x-db,3306/tcp,some'
row 'role:x-app,role:x-web,"80,443,9100/tcp",all'
row 'role:x-app,role:x-web,"5001,8080/tcp",some'
run 0 query matrix --from x-app --to x-db --csv --columns from,to,what,extent
holds 'one row and a heading' [ "$(wc -l < "$home/out")" -eq 2 ]
run 0 query matrix --role x-shut --csv --columns from,to
row 'role:x-shut,role:x-db'
holds 'one row and a heading' [ "$(wc -l < "$home/out")" -eq 2 ]
run 0 query matrix --to machine:x-other
empty # it has no address
run 0 --json query matrix --to x-db
json '[.items[] | select(.from == "role:x-app")] | length == 1 and .[0].extent == "some" and (.[0].rules | length) == 1'
json '[.items[] | select(.from == "network:x-office")][0].from_machines == null'
run 2 query matrix --from x-ap
complains 'did you mean x-app?'
run 2 query matrix --from x-app --role x-db
run 0 query matrix --json
cp "$home/out" "$home/present"
run 0 query matrix --json --at "$now"
cp "$home/out" "$home/then"
holds 'the same as of now' cmp "$home/then" "$home/present"

# --- a real fleet ---

# covers LIST PORT: is the port in "80,8000-8010"?
cat > "$home/join.awk" << 'AWK'
function covers(list, port,   i, n, parts, ends) {
	n = split(list, parts, ",")
	for (i = 1; i <= n; i++) {
		split(parts[i], ends, "-")
		if (port + 0 >= ends[1] + 0 && port + 0 <= (ends[2] == "" ? ends[1] : ends[2]) + 0)
			return 1
	}
	return 0
}
# The internet: not the fleet, nothing private.
function outside(peer) {
	return !(peer in own) && peer ~ /^[0-9.]+$/ && peer !~ /^(0|10|127|169\.254|192\.168|192\.0\.2|198\.51\.100|203\.0\.113|2[2-5][0-9])\./ &&
	       peer !~ /^(172\.(1[6-9]|2[0-9]|3[01])|100\.(6[4-9]|[7-9][0-9]|1[01][0-9]|12[0-7])|198\.1[89]|192\.0\.0)\./
}
FILENAME ~ /addresses/ { split($0, f, ","); own[f[2]] = 1; next }
FILENAME ~ /open$/ { split($0, f, "\t"); open[f[1], ++count[f[1]]] = f[2]; next }
{
	sub(/\r$/, "")
	split($0, f, ",")
	if (f[2] != "in" || !outside(f[3]) || (f[4] != "tcp" && f[4] != "udp"))
		next
	told = 0
	for (i = 1; i <= count[f[1]]; i++) {
		split(open[f[1], i], what, "/")
		told = told || (what[2] == f[4] && covers(what[1], f[5]))
	}
	asked[f[6]]++
	if (told != (f[6] == "allow"))
		print "told " told ": " $0
}
END { if (asked["allow"] < 5 || asked["deny"] < 20) print "too few were asked: " asked["allow"] + 0 ", " asked["deny"] + 0 }
AWK

if [ -d "$fleets/opendev" ]; then
	run 0 import --csv "$fleets/opendev"
	run 0 --json query exposed
	cp "$home/out" "$home/told"
	# What one rule lets anyone in at is what explain says, and it says so through that rule.
	jq -r '.items[] | select((.machine | startswith("x-") | not) and .sources == ["anyone"] and (.rules | length) == 1) |
		.machine as $m | .rules[0] as $r | .what[] | select(test("^([0-9]+/(tcp|udp)|icmp)$")) |
		"8.8.8.8 \($m) \(.)\t\($r)", "2001:4860::8888 \($m) \(.)\t\($r)"' "$home/told" > "$home/questions"
	holds 'hundreds of questions' [ "$(wc -l < "$home/questions")" -gt 400 ]
	cut -f 1 "$home/questions" > "$home/asked"
	cut -f 2 "$home/questions" > "$home/meant"
	input=$home/asked run 0 explain -
	cut -f 6 "$home/out" | cmp -s - "$home/meant"
	holds 'explain names the rules' [ $? -eq 0 ]
	# And the fleet's own files let in, and refuse, the same.
	jq -r '.items[] | select(.sources | index("anyone") or index("0.0.0.0/0")) | .machine as $m | .what[] | "\($m)\t\(.)"' \
		"$home/told" > "$home/open"
	awk -f "$home/join.awk" "$fleets/opendev/addresses.csv" "$home/open" "$fleets/opendev/queries.csv" > "$home/differ"
	empty 'what differs from the files' "$home/differ"
else
	echo "the real fleet was left out: there is no $fleets/opendev"
fi
finish
