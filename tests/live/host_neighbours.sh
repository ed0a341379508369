#!/bin/sh
# Coexist beside others: Docker's chains as a real host has them, and fail2ban itself. A push leaves chains, rules, policies,
# places and counters as they were, in all tables; what fleetwall lets in goes on to them, and a ban that comes later bites.
set -u
. "$TOP/tests/live/lib/host.sh"
command -v fail2ban-server >/dev/null || {
	echo 'fail2ban is not installed'
	exit 77
}

tables() { # of others, with counters, in all tables
	for program in iptables ip6tables; do
		"$program-save" -c | grep -v '^#\|fleetwall'
	done
}
# iptables-save of a host with Docker 24, one container that publishes 8080, a user's rule in DOCKER-USER.
docker() {
	iptables-restore -c <<-'END'
		*nat
		:PREROUTING ACCEPT [123:7380]
		:INPUT ACCEPT [14:840]
		:OUTPUT ACCEPT [90:6100]
		:POSTROUTING ACCEPT [99:6640]
		:DOCKER - [0:0]
		[109:6540] -A PREROUTING -m addrtype --dst-type LOCAL -j DOCKER
		[2:120] -A OUTPUT ! -d 127.0.0.0/8 -m addrtype --dst-type LOCAL -j DOCKER
		[11:660] -A POSTROUTING -s 172.17.0.0/16 ! -o docker0 -j MASQUERADE
		[0:0] -A POSTROUTING -s 172.17.0.2/32 -d 172.17.0.2/32 -p tcp -m tcp --dport 80 -j MASQUERADE
		[0:0] -A DOCKER -i docker0 -j RETURN
		[9:540] -A DOCKER ! -i docker0 -p tcp -m tcp --dport 8080 -j DNAT --to-destination 172.17.0.2:80
		COMMIT
		*filter
		:INPUT ACCEPT [1523:120456]
		:FORWARD DROP [4:240]
		:OUTPUT ACCEPT [1417:181234]
		:DOCKER - [0:0]
		:DOCKER-ISOLATION-STAGE-1 - [0:0]
		:DOCKER-ISOLATION-STAGE-2 - [0:0]
		:DOCKER-USER - [0:0]
		[310:52110] -A FORWARD -j DOCKER-USER
		[306:51870] -A FORWARD -j DOCKER-ISOLATION-STAGE-1
		[140:30120] -A FORWARD -o docker0 -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
		[9:540] -A FORWARD -o docker0 -j DOCKER
		[157:21210] -A FORWARD -i docker0 ! -o docker0 -j ACCEPT
		[0:0] -A FORWARD -i docker0 -o docker0 -j ACCEPT
		[9:540] -A DOCKER -d 172.17.0.2/32 ! -i docker0 -o docker0 -p tcp -m tcp --dport 80 -j ACCEPT
		[157:21210] -A DOCKER-ISOLATION-STAGE-1 -i docker0 ! -o docker0 -j DOCKER-ISOLATION-STAGE-2
		[306:51870] -A DOCKER-ISOLATION-STAGE-1 -j RETURN
		[0:0] -A DOCKER-ISOLATION-STAGE-2 -o docker0 -j DROP
		[157:21210] -A DOCKER-ISOLATION-STAGE-2 -j RETURN
		[4:240] -A DOCKER-USER -s 198.51.100.7/32 -j DROP
		[306:51870] -A DOCKER-USER -j RETURN
		COMMIT
	END
}
docker
ip6tables -P INPUT ACCEPT # the table is there

# fail2ban, with a jail of its own that bans on demand.
f2b=$home/f2b
cp -r /etc/fail2ban "$f2b"
rm -rf "$f2b"/jail.d "$f2b"/fail2ban.d
touch "$home/sshd.log"
cat >"$f2b/jail.local" <<-END
	[DEFAULT]
	banaction = iptables-multiport
	backend = polling
	[sshd]
	enabled = true
	port = 3306
	logpath = $home/sshd.log
END
ban() { fail2ban-client -c "$f2b" -s "$home/f2b.sock" -p "$home/f2b.pid" "$@"; }
printf '[Definition]\nloglevel = INFO\nlogtarget = %s\nsocket = %s\npidfile = %s\ndbfile = None\n' \
	"$home/f2b.log" "$home/f2b.sock" "$home/f2b.pid" >"$f2b/fail2ban.local"
ban start >/dev/null 2>&1
ban set sshd banip 192.0.2.66 >/dev/null # it makes its chain with the first ban
has_ban() { iptables-save -t filter | grep -q -- "-A f2b-sshd -s $1/32 -j REJECT"; }
patient() { # for what fail2ban does in its own time
	for _ in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 21 22 23 24 25 26 27 28 29 30; do
		"$@" && return
		sleep 0.1
	done
	return 1
}
holds 'fail2ban has banned' patient has_ban 192.0.2.66

quiet() {
	tables >"$home/first"
	sleep 0.4
	tables | cmp -s - "$home/first"
}

# A peer that the rules let in, and a port that answers.
ip addr add 10.0.0.9/24 dev lo
neighbour 10.1.0.1 10.1.0.3
listen 3306 true
gets_in() { nsenter -n -t $peer $HOST_SH "$script" probe 10.1.0.9 3306 1; }

position coexist "$home/a" 3306 10.1.0.1 10.1.0.2
position coexist "$home/b" 3306 10.1.0.1 10.1.0.3
position monitor "$home/m" 3306 10.1.0.7
tables >"$home/first"
bundle "$home/a"
apply 0
tables >"$home/after"
same 'what is others, applied' "$home/first" "$home/after"
holds 'the peer gets in' patient gets_in
patient quiet # its last packets
run 0 confirm "$token"
bundle "$home/b" "$home/a"
apply 0
run 0 rollback "$token"
tables >"$home/after"
same 'what is others, undone' "$home/first" "$home/after"
settled "$home/m" "$home/a"
settled "$home/a"
tables >"$home/after"
same 'what is others, to monitor and back' "$home/first" "$home/after"

ban set sshd banip 10.1.0.1 >/dev/null
holds 'banned' patient has_ban 10.1.0.1
holds 'the ban bites' [ "$(gets_in)" = closed ]
bundle "$home/b" "$home/a"
apply 0
run 0 confirm "$token"
holds 'the ban still bites' [ "$(gets_in)" = closed ]
holds 'our jump is the first' [ "$(iptables-save -t filter | grep -m 1 '^-A INPUT')" = '-A INPUT -j fleetwall-input' ]
ban set sshd unbanip 10.1.0.1 >/dev/null
holds 'and is over' patient gets_in

# What fleetwall refuses stays refused, and others' rules may go behind our back to the head: the next push mends it.
iptables -I INPUT 1 -p tcp --dport 3307 -j ACCEPT
run 0 status
says 'live no'
bundle "$home/b"
apply 0
run 0 confirm "$token"
holds 'our jump is the first again' [ "$(iptables-save -t filter | grep -m 1 '^-A INPUT')" = '-A INPUT -j fleetwall-input' ]
holds 'once' [ "$(iptables-save -t filter | grep -c -- '-j fleetwall-input')" = 1 ]
holds 'theirs stays' iptables -C INPUT -p tcp --dport 3307 -j ACCEPT
ban stop >/dev/null 2>&1
kill $listener $peer
finish
