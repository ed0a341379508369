#!/bin/sh
# Push from end to end, on real machines: what an administrator does with it, and what each of it leaves in the kernels and in the database.
# Machines in all modes; faults are in push_faults.sh, many machines in push_many.sh. long: real connections.
set -u
. "$TOP/tests/live/lib/push.sh"
lab_begin web app db co mon un=198.51.100.9,2001:db8:9::9

cat > "$home/fleet.conf" <<END
roles = (
  { name = "everyone"; selector = { }; rules = [ "allow icmp/echo-request", "allow 22/tcp from 10.77.0.3, fd77::2" ]; },
  { name = "web"; rules = [ "allow 80/tcp" ]; },
  { name = "app"; },
  { name = "db"; rules = [ "allow mysql from role:app" ]; } );
machines = (
  { name = "web"; addresses = [ "10.77.0.2", "fd77::1" ]; roles = [ "web" ]; },
  { name = "app"; addresses = [ "10.77.0.3", "fd77::2" ]; roles = [ "app" ]; },
  { name = "db"; addresses = [ "10.77.0.4", "fd77::3" ]; roles = [ "db" ]; },
  { name = "co"; addresses = [ "10.77.0.5", "fd77::4" ]; roles = [ "web" ]; mode = "coexist"; },
  { name = "mon"; addresses = [ "10.77.0.6", "fd77::5" ]; roles = [ "web" ]; enforcement = "monitor"; },
  { name = "un"; addresses = [ "198.51.100.9", "2001:db8:9::9" ]; enforcement = "unmanaged"; } );
END
run 0 import "$home/fleet.conf"
all='web app db co mon un'
listeners() {
	lab_listen web 80 81 && lab_listen db 3306 && lab_listen co 80 81 && lab_listen mon 80 81 && lab_listen un 80
}
# What is others' on the machine, with counters.
neighbours() {
	lab_in co iptables-restore -c <<-END
		*filter
		:INPUT ACCEPT [7:700]
		:FORWARD DROP [3:300]
		:OUTPUT ACCEPT [0:0]
		:f2b-web - [0:0]
		[5:500] -A INPUT -p tcp -m multiport --dports 80 -j f2b-web
		[1:60] -A f2b-web -s 192.0.2.7/32 -j REJECT --reject-with icmp-port-unreachable
		[4:440] -A f2b-web -j RETURN
		COMMIT
	END
}
theirs() { # with the counters that no packet of ours moves
	lab_in co iptables-save -c -t filter | grep -e '^:f2b' -e '192.0.2.7' -e '^:FORWARD' -e '--dports'
}
# The packets that the rule for a port has let in.
let_in() {
	lab_in "$1" iptables-save -c -t filter | sed -n "s/^\[\([0-9]*\):.* --dport $2 .*/\1/p"
}

# --- before anybody is contacted ------------------------------------------------------------------------------------------
no_management() {
	configure bare
	calls $all
	run 0 --config "$home/bare.conf" generate
	complains 'management'
	run 4 --config "$home/bare.conf" push
	complains 'management'
	complains 'hint:'
	called 0 $all
	# Machines that are only watched can't be locked out of.
	run 0 --config "$home/bare.conf" push mon
	status mon '.state == "current"'
	has mon
	called 2 mon
	called 0 web app db co un
}
dry_run() {
	generate
	calls $all
	run 1 push --dry-run
	for name in web app db co mon; do says "$name"; done
	silent_on 'un '
	run 1 --json push --dry-run
	json '.items | length == 5 and ([.[] | select(.machine == "mon")][0].why == "changed") and ([.[] | select(.machine == "db")][0].why == "first")'
	called 0 $all
	status db '.state == "never pushed" and .confirmed == null'
	run 2 push wbe
	complains 'web'
	run 2 push --only 'x*'
	run 2 push --only role:databases
	called 0 $all
}

# --- the first push ---------------------------------------------------------------------------------------------------------
first_push() {
	listeners
	neighbours
	theirs > "$home/theirs"
	lab_in db iptables -A INPUT -p tcp --dport 8022 -j DROP
	remember db un
	# A session that is open on one of them.
	lab_in app timeout 60 bash -c 'exec 3<>/dev/tcp/10.77.0.2/22; sleep 60' > /dev/null 2>&1 &
	# Somebody's rules on a machine that shall be ours alone: a canary fails, and that ends it.
	run 1 push
	cp "$home/out" "$home/first"
	says 'db: failed: refused: '
	says 'db: refused: '
	says 'push with --adopt'
	says 'stopped'
	unchanged db un
	idle db
	status db '.state == "failed" and .needs_person and .failure == "refused" and (.why | contains("--dport 8022"))'
	run 1 status --open
	run 2 push --adopt un
	complains 'un'
	run 0 push --adopt db
	says 'db: confirmed'
	cat "$home/first" >> "$home/out"
	says 'web: warning: 1 open session '
	silent_on 'db: warning: '
	silent_on 'co: warning: '
	confirmed_on "$generation" web app db co mon
	has web app db co mon
	unchanged un
	status un '.state == "unmanaged" and .confirmed == null and .offered == null'
	run 0 status --open
	silent_on 'web'
	theirs > "$home/theirs.now"
	holds "what is others' on co" cmp "$home/theirs" "$home/theirs.now"
	holds 'it is read before the network is up' lab_in web sh -c 'grep -q "fleetwall-host boot" /etc/network/if-pre-up.d/fleetwall-host'
}
traffic() {
	opens un web 80
	opens app db 3306
	opens app web 22
	opens un co 80
	opens un mon 81
	opens un mon 22
	shuts un db 3306
	shuts un web 22
	shuts web db 3306
	shuts un web 81
	shuts un co 81
	holds 'monitor says what it would refuse' test "$(lab_in mon iptables-save -c | grep 'fleetwall monitor' | grep -cv '^\[0:')" -gt 0
}

# --- only what changed ----------------------------------------------------------------------------------------------------
nothing_to_push() {
	calls $all
	run 0 push
	says 'nothing to push'
	called 0 $all
	run 0 push --dry-run
	run 0 generate
	run 0 push
	called 0 $all
}
a_member_more() {
	lab_tcp app 10.77.0.4 3306
	before=$(let_in db 3306)
	run 0 machine add app2 --address 10.77.0.200 --address fd77::200 --role app --enforcement unmanaged
	generate
	run 1 --json push --dry-run
	json '[.items[].machine] == ["db"]'
	status db '.state == "behind"'
	calls $all
	run 0 --json push
	lines '[.[] | select(.event == "confirmed")] | length == 1 and .[0].machine == "db" and .[0].bytes > 0 and .[0].bytes < 1024'
	called 2 db
	called 0 web app co mon un
	# Rules that are loaded again begin at nothing.
	after=$(let_in db 3306)
	holds "counters were kept ($before, $after)" test "$((before > 0 && after >= before))" -eq 1
	members='ipset save | grep -q "^add fw4-app-[^ ]* 10.77.0.200$" && ipset save | grep -q "^add fw6-app-[^ ]* fd77::200$"'
	holds 'the new member' lab_in db sh -c "$members && ipset save | grep -q '^add fw4-app-[^ ]* 10.77.0.3$'"
	has db
	confirmed_on "$generation" db
	current web app co mon
}

# --- back, and back again ---------------------------------------------------------------------------------------------------
back_and_frozen() {
	run 1 rollback db --dry-run
	says 'db '
	run 0 rollback db
	says 'db: confirmed'
	if lab_in db sh -c "$members"; then fault 'the new member is still there'; fi
	status db '.state == "frozen" and .confirmed < '"$generation"' and (.frozen | contains("rolled back"))'
	idle db
	opens app db 3306
	calls db
	run 0 push
	complains 'db is frozen'
	called 0 db
	run 2 machine freeze web
	complains '--reason'
	run 0 machine freeze web --reason 'kernel upgrade, OPS-31'
	run 0 status
	says 'kernel upgrade, OPS-31'
	run 0 machine unfreeze web db
	run 0 push
	says 'db: confirmed'
	current db web
	has db
	run 2 rollback un
	complains 'un'
}

# --- drift ------------------------------------------------------------------------------------------------------------------
drifts() {
	run 0 drift
	says '5 machines asked: 0 differ'
	lab_in web sh -c 'iptables -I INPUT 3 -p tcp --dport 6666 -j ACCEPT; ip6tables -P INPUT ACCEPT'
	lab_in db sh -c 'ipset add $(ipset list -n | grep fw4-app) 6.6.6.6; ipset del $(ipset list -n | grep fw6-app) fd77::200'
	# In coexist others may do as they like with what is theirs.
	lab_in co sh -c 'iptables -A INPUT -p tcp --dport 25 -j DROP; iptables -N DOCKER; iptables -Z'
	lab_in mon iptables -D INPUT -j fleetwall-input
	run 1 drift
	says '5 machines asked: 3 differ'
	says '-A INPUT -p tcp -m tcp --dport 6666 -j ACCEPT'
	says ':INPUT ACCEPT'
	says '6.6.6.6'
	says 'fd77::200'
	says '-A INPUT -j fleetwall-input'
	silent_on 'DOCKER'
	silent_on 'dport 25'
	run 0 drift app 'co*'
	run 1 --json drift role:db
	json '[.items[] | [.machine, .kind, .line] | select(.[1] | startswith("member"))] | sort == [["db", "member extra", "6.6.6.6"], ["db", "member missing", "fd77::200"]]' \
		'[.items[] | select(.kind == "opens" and (.line | endswith(" to 6.6.6.6")))] | length > 0' \
		'[.items[] | select(.kind == "closes" and (.line | endswith(" to fd77::200")))] | length > 0'
	run 0 drift --mend
	says '3 confirmed, 0 failed'
	silent_on 'first ruleset'
	has web db co mon
	current web db co mon
	holds "others' rules" lab_in co iptables -C INPUT -p tcp --dport 25 -j DROP
	lab_in co sh -c 'iptables -D INPUT -p tcp --dport 25 -j DROP; iptables -X DOCKER'
	run 0 drift
	lab_cut app
	run 1 drift app web
	says 'unreachable'
	says '1 could not be compared'
	lab_join app
}

# --- probes -----------------------------------------------------------------------------------------------------------------
probes() {
	run 0 probe add web 80/tcp open
	run 0 probe add web 81/tcp closed from un
	run 0 probe add db 3306/tcp open from app
	run 2 probe add db 3306 open
	run 2 probe add nobody 80/tcp open
	run 0 --json probe list web
	json '[.items[].what] == ["80/tcp", "81/tcp"]'
	run 0 rule add web 'allow 8080/tcp'
	run 0 rule add db 'allow 8080/tcp from role:app'
	generate
	run 0 push
	confirmed_on "$generation" web db
	# What must answer does not: it was a mistake, and it goes back.
	held=$generation
	remember web db
	run 0 rule add web 'deny 80/tcp'
	mistakes=$(cat "$home/out")
	run 0 rule add db 'deny mysql from role:app'
	mistakes="$mistakes $(cat "$home/out")"
	generate
	run 1 push web
	says 'web: failed: probe: '
	says '80/tcp'
	run 1 push db
	says 'db: failed: probe: '
	says 'from app'
	idle web db
	unchanged web db
	opens un web 80
	opens app db 3306
	status web ".confirmed == $held and .offered == $generation and .failure == \"probe\" and .needs_person"
	status db ".confirmed == $held and .failure == \"probe\""
	run 1 status
	# shellcheck disable=SC2086 # ids
	run 0 rule remove $mistakes
	generate
	run 0 push
	status web '.state == "current" and .failure == null and (.needs_person | not)'
	has web db
	run 0 probe remove db 3306/tcp open from app
	run 2 probe remove db 3306/tcp open from app
}

# --- stopping everybody -----------------------------------------------------------------------------------------------------
halt_and_resume() {
	run 2 push --reason 'no halt'
	run 0 push --halt --reason 'looks odd, OPS-4'
	run 0 rule add everyone 'allow 113/tcp'
	generate
	calls $all
	run 4 push
	complains 'looks odd, OPS-4'
	complains '--resume'
	run 0 status
	complains 'looks odd, OPS-4'
	called 0 $all
	run 0 push --resume
	run 0 status
	silent_on 'looks odd'
	# Halted in the middle: what is applied is still confirmed, what waits does not begin.
	configure slow 'parallel = 1' "apply = [ \"$home/slowly\", \"-F\", \"$LAB/ssh_config\", \"%h\", \"%n\" ]"
	cat > "$home/slowly" <<-'END'
		#!/bin/sh
		[ -e "${0%/*}/begun" ] || { : > "${0%/*}/begun"; sleep 1; }
		exec ssh "$1" "$2" "$4" "$5"
	END
	chmod 0755 "$home/slowly"
	begin --config "$home/slow.conf" push
	await "$home/begun"
	run 0 push --halt
	ended 1
	says 'stopped: '
	says '1 confirmed, 0 failed'
	run 1 push --dry-run
	run 0 push --resume
	says 'done: 5 confirmed'
	confirmed_on "$generation" web app db co mon
	has web app db co mon
	idle $all
}

# --- who is it, really? -----------------------------------------------------------------------------------------------------
another_rule() { # for each machine something to push
	run 0 rule add everyone "allow $1/tcp"
	generate
}
wrong_machine() {
	another_rule 114
	remember app web
	# Somebody gave web's address to app. Its host key is not web's.
	run 0 machine set web --ssh-host 10.77.0.3
	run 1 push web
	says 'web: failed: host-key: '
	status web '.failure == "host-key" and .needs_person'
	# The same with an image that was copied with its host keys.
	sed -n "s/^app,[^ ]*/web/p" "$LAB/known_hosts" >> "$LAB/known_hosts"
	run 1 push web
	says 'web: failed: refused: this is app, not web'
	status web '.failure == "refused" and .needs_person'
	unchanged app web
	idle app
	# And one with the name as well: its machine-id tells.
	lab_in app sh -c 'echo web > /var/lib/fleetwall-host/identity'
	run 1 push web
	says 'web: failed: refused: '
	says 'machine-id'
	unchanged app web
	lab_in app sh -c 'echo app > /var/lib/fleetwall-host/identity'
	run 0 machine set web --no-ssh-host
	run 0 push web
	confirmed_on "$generation" web
	has web
}
changed_host_key() {
	lab_new_key app
	remember app
	sleep 0.2
	run 1 push app
	says 'app: failed: host-key: '
	says 'known_hosts'
	unchanged app
	status app '.failure == "host-key" and .needs_person'
	lab_in app cat /etc/ssh/host_key.pub | sed "s/^/app,10.77.0.3,fd77::2 /; s/ [^ ]*\$//" > "$LAB/app/known"
	sed -i '/^app,/d' "$LAB/known_hosts"
	cat "$LAB/app/known" >> "$LAB/known_hosts"
	run 0 push app
	confirmed_on "$generation" app
	has app
}
installed_anew() {
	lab_in app sh -c 'rm -rf /var/lib/fleetwall-host; echo 0123456789abcdef0123456789abcdef > /etc/machine-id
		for p in iptables ip6tables; do
			printf "*filter\n:INPUT ACCEPT [0:0]\n:FORWARD ACCEPT [0:0]\n:OUTPUT ACCEPT [0:0]\nCOMMIT\n" | $p-restore
		done; ipset destroy'
	# In the database all is well. Looking shows that it is not, and what to do.
	current app
	run 1 drift app
	says 'fleetwall machine forget'
	run 0 rule add app 'allow 119/tcp'
	generate
	remember app
	run 1 push app
	says 'app: failed: refused: /etc/machine-id'
	says 'fleetwall machine forget app'
	unchanged app
	run 0 machine forget app
	status app '.state == "never pushed" and .confirmed == null and .machine_id == null and .failure == null'
	run 0 push app
	complains 'first ruleset'
	confirmed_on "$generation" app
	has app
	status app '.machine_id == "0123456789abcdef0123456789abcdef"'
}
refused_login() {
	lab_in db sh -c 'mv /etc/ssh/lab_authorized_keys /etc/ssh/kept'
	remember db
	run 1 push db
	says 'db: failed: auth: '
	status db '.failure == "auth" and .needs_person'
	unchanged db
	lab_in db sh -c 'mv /etc/ssh/kept /etc/ssh/lab_authorized_keys'
	run 0 push db
}

# --- failures, and what ends a run ----------------------------------------------------------------------------------------
too_many_failures() {
	another_rule 115
	lab_cut co
	run 1 push --max-failures 0
	says 'in wave 1 '
	says 'left: co: unreachable'
	says 'stopped: '
	status co '.failure == "unreachable" and (.needs_person | not) and .state == "behind"'
	run 1 status
	says 'was stopped ('
	lab_join co
}
lines_for_programs() {
	lab_cut web
	run 1 --json push
	lines 'all(type == "object" and has("event"))' \
		'[.[] | select(.event == "confirmed") | .machine] | sort == ["co", "mon"]' \
		'[.[] | select(.event == "failed")] | length == 1 and .[0].machine == "web" and .[0].failure == "unreachable" and .[0].attempt == 1' \
		'[.[] | select(.event == "applied")] | length == 2' \
		'.[0].event == "started" and all(.total == 3 or .event == "left" or .event == "summary")' \
		'.[-2] | .event == "left" and .machine == "web" and (.needs_person | not)' \
		'.[-1] | .event == "summary" and .state == "done" and .confirmed == 2 and .failed == 1 and .waiting == 0'
	# On a terminal one line that moves, and the failures.
	run 0 rule add db 'allow 116/tcp'
	generate
	if script -qec "$FLEETWALL push" /dev/null > "$home/out" 2> "$home/err" < /dev/null; then fault 'it ends well'; fi
	says 'wave 1 of'
	says 'web: failed: unreachable'
	says 'done: 1 confirmed, 1 failed'
	silent_on 'db: confirmed'
	lab_join web
	run 0 push
	current web app db co mon
	has web app db co mon
}

no_management
dry_run
first_push
traffic
nothing_to_push
a_member_more
back_and_frozen
drifts
probes
halt_and_resume
wrong_machine
changed_host_key
installed_anew
refused_login
too_many_failures
lines_for_programs
idle $all
finish
