# For tests of push/fleetwall-host: a namespace of its own for network and mounts, so that nothing of this machine is
# touched; bundles made by a few lines of shell, which know the C side's only from the format; and checks that count.
# Sourced, after `set -u`, with "$0" "$@" to begin again inside. HOST_SH is the shell (dash; "busybox sh").
# shellcheck shell=sh

if [ "${FLEETWALL_HOST_INSIDE-}" != $$ ]; then
	if ! unshare -mnpf --mount-proc true 2>/dev/null; then
		echo 'network and mount namespaces are not permitted here'
		exit 77
	fi
	for needed in iptables ip6tables ipset; do
		command -v $needed >/dev/null || {
			echo "$needed is not installed"
			exit 77
		}
	done
	home=$(mktemp -d /tmp/fleetwall-host-test.XXXXXX) || exit 1
	export home
	# With the first process of the namespace everything ends that it left behind.
	unshare -mnpf --kill-child --mount-proc sh -c 'FLEETWALL_HOST_INSIDE=$$ exec sh "$@"' sh "$0" "$@"
	code=$?
	rmdir "$home"
	exit $code
fi

passed=0 failed=0
HOST_SH=${HOST_SH:-dash}
mount --make-rprivate / 2>/dev/null
mount -t tmpfs -o mode=700 none "$home" || exit 77
script=$home/fleetwall-host # a copy: nobody edits it while it is tested
cp "$TOP/push/fleetwall-host" "$script"
sha=$(sha256sum <"$script")
sha=${sha%% *}
own_name=$(uname -n | tr A-Z a-z)
FLEETWALL_HOST_STATE=$home/state
export FLEETWALL_HOST_STATE
for folder in /etc/network/if-pre-up.d /etc/systemd/system /etc/init.d; do # boot hooks go nowhere
	[ ! -d $folder ] || mount -t tmpfs none $folder
done
ip link set lo up

finish() {
	echo "$passed passed, $failed failed, 0 skipped"
	[ "$failed" -eq 0 ]
	exit
}
fault() {
	failed=$((failed + 1))
	printf 'FAULT: %s\n' "$1"
	sed 's/^/    out: /' "$home/out"
	sed 's/^/    err: /' "$home/err"
}
good() { passed=$((passed + 1)); }

# run CODE WORD…: fleetwall-host ends with that code. Standard input is ${input:-/dev/null}.
run() {
	wanted=$1
	shift
	# shellcheck disable=SC2086 # a shell and its argument
	$HOST_SH "$script" "$@" >"$home/out" 2>"$home/err" <"${input:-/dev/null}"
	code=$?
	if [ $code -eq "$wanted" ]; then good; else fault "$HOST_SH $*: exit code $code, not $wanted"; fi
}
apply() { # CODE [CONNECTION]: the bundle. The script lies where the bootstrap puts it.
	mkdir -p "$FLEETWALL_HOST_STATE"
	[ -e "$FLEETWALL_HOST_STATE/fleetwall-host" ] || cp "$script" "$FLEETWALL_HOST_STATE"
	input=$home/bundle
	run "$1" apply "$sha" "${2-10.0.0.250 40000 10.0.0.9 22}"
	input=
}
# By the shell itself: it is a few lines, and asked hundreds of times.
said() {
	while IFS= read -r said_line || [ -n "$said_line" ]; do
		case $said_line in *"$1"*) return 0 ;; esac
	done <"$home/out"
	return 1
}
says() { if said "$1"; then good; else fault "does not say: $1"; fi; }
holds() { # WHAT COMMAND…
	what=$1
	shift
	if "$@" >"$home/out" 2>"$home/err"; then good; else fault "does not hold: $what"; fi
}
same() { # WHAT FILE FILE
	if diff "$2" "$3" >"$home/out" 2>"$home/err"; then good; else fault "$1"; fi
}

# neighbour ADDRESS…: another machine with them, the process $peer, on a cable to us, 10.1.0.9.
neighbour() {
	unshare -n sleep 170 >/dev/null 2>&1 &
	peer=$!
	while [ "$(readlink /proc/$peer/ns/net)" = "$(readlink /proc/self/ns/net)" ]; do sleep 0.05; done
	ip link add door type veth peer name eth0 netns $peer
	ip addr add 10.1.0.9/24 dev door
	ip link set door up
	nsenter -n -t $peer sh -c 'for address; do ip addr add $address/24 dev eth0; done; ip link set eth0 up; ip link set lo up' \
		neighbour "$@"
}
# listen PORT PROGRAM: it is there for each connection, of the process $listener. Comes back once the port is open.
listen() {
	busybox nc -ll -p "$1" -e "$2" >/dev/null 2>&1 &
	listener=$!
	for _ in $(seq 200); do
		! grep -qi ":$(printf %04X "$1") [0-9A-F:]* 0A " /proc/net/tcp /proc/net/tcp6 || return 0
		sleep 0.05
	done
	holds "something listens on port $1" false
}

# --- positions: folders with rules.v4, rules.v6, sets.list and the set files --------------------------------------------

# set_file SET.v4 ADDRESS…: on standard output
set_file() {
	case $1 in *.v4) n=fw4-${1%.v4} i=inet ;; *) n=fw6-${1%.v6} i=inet6 ;; esac
	shift
	printf 'create %s hash:net family %s maxelem 4294967295\n' "$n" $i "$n.n" $i
	echo "flush $n.n"
	[ $# -eq 0 ] || printf "add $n.n %s\\n" "$@"
	printf 'swap %s %s\ndestroy %s\n' "$n" "$n.n" "$n.n"
}
W4=web-dc6e60f51867.v4 W6=web-dc6e60f51867.v6

# position MODE FOLDER PORT [ADDRESS…]: the set of web may reach PORT; its members
position() {
	kind=$1 at=$2 port=$3
	shift 3
	rm -rf "$at"
	mkdir -p "$at"
	echo "$kind" >"$at/mode"
	printf '%s\n' $W4 $W6 >"$at/sets.list"
	set_file $W4 "$@" >"$at/$W4"
	set_file $W6 fd00::2 >"$at/$W6"
	"rules_$kind" 4 "${from4-10.0.0.0/24}" >"$at/rules.v4"
	"rules_$kind" 6 "${from6-fd00::/64}" >"$at/rules.v6"
}
rules_exclusive() {
	printf '# iptables-restore\n*filter\n:INPUT DROP [0:0]\n:FORWARD DROP [0:0]\n:OUTPUT ACCEPT [0:0]\n'
	printf -- '-A INPUT -i lo -j ACCEPT\n-A INPUT -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT\n'
	echo "-A INPUT -s $2 -p tcp -m tcp --dport 22 -j ACCEPT"
	echo "-A INPUT -p tcp -m tcp --dport $port -m set --match-set fw$1-web-dc6e60f51867 src -m comment --comment \"web 2f1a37b7bd1d\" -j ACCEPT"
	echo COMMIT
}
rules_coexist() {
	printf '# iptables-restore --noflush\n*filter\n:fleetwall-input - [0:0]\n:fleetwall-output - [0:0]\n'
	[ "$kind" = monitor ] || echo "-A fleetwall-input -s $2 -p tcp -m tcp --dport 22 -j ACCEPT"
	printf -- '-A fleetwall-input -i lo -j RETURN\n-A fleetwall-input -m conntrack --ctstate RELATED,ESTABLISHED -j RETURN\n'
	echo "-A fleetwall-input -p tcp -m tcp --dport $port -m set --match-set fw$1-web-dc6e60f51867 src -m comment --comment \"web 2f1a37b7bd1d\" -j RETURN"
	[ "$kind" = monitor ] || echo '-A fleetwall-input -j DROP'
	echo "-A fleetwall-output -d $2 -p tcp -m tcp --sport 22 -j RETURN"
	echo COMMIT
}
rules_monitor() { rules_coexist "$@"; }

digest_of() { # FOLDER: its position
	(
		cd "$1" || exit
		ruleset=$(sha256sum rules.v4 rules.v6 sets.list | sha256sum)
		position=$(
			echo "${ruleset%% *}  rules"
			# shellcheck disable=SC2046
			[ ! -s sets.list ] || sha256sum $(cat sets.list)
		)
		position=$(echo "$position" | sha256sum)
		echo "${position%% *}"
	)
}

# bundle FOLDER [OLD [KEY=VALUE…]]: into $home/bundle; against OLD where it is not empty. $token is new each time.
fence=0 generation=0 tokens=0
bundle() {
	into=$1 against=${2-}
	[ $# -lt 2 ] || shift
	shift
	fence=$((fence + 1)) generation=$((generation + 1)) tokens=$((tokens + 1))
	token=$(printf '%032x' $((tokens + $$ * 1000)))
	machine=$own_name machine_id=- deadline=60 ssh_port=22 flags='' management='10.0.0.250 10.0.0.0/24 fd00::/64'
	bundle_position=$(digest_of "$into") confirmed=-
	[ -z "$against" ] || confirmed=$(digest_of "$against")
	for setting; do
		eval "${setting%%=*}=\${setting#*=}"
	done
	: >"$home/body"
	{
		echo 'fleetwall-bundle 1'
		printf '%s %s\n' machine "$machine" machine-id "$machine_id" fence "$fence" generation "$generation" token "$token" \
			position "$bundle_position" confirmed "$confirmed" mode "$(cat "$into/mode")" deadline "$deadline" ssh-port "$ssh_port" \
			management "$management" flags "$flags"
		for name in rules.v4 rules.v6 sets.list; do
			if [ -n "$against" ] && cmp -s "$into/$name" "$against/$name"; then
				echo "$name same"
			else
				echo "$name $(wc -l <"$into/$name")"
				cat "$into/$name" >>"$home/body"
			fi
		done
		while read -r name; do
			if [ -z "$against" ] || [ ! -e "$against/$name" ]; then
				echo "set $name whole $(wc -l <"$into/$name")"
				cat "$into/$name" >>"$home/body"
			elif ! cmp -s "$into/$name" "$against/$name"; then
				difference "$against/$name" "$into/$name" >"$home/difference"
				echo "set $name diff $(wc -l <"$home/difference")"
				cat "$home/difference" >>"$home/body"
			fi
		done <"$into/sets.list"
		echo
		cat "$home/body"
		echo end
	} >"$home/bundle"
}
# difference OLD NEW: in the bundle's form, by diff's ed script turned round
difference() {
	diff "$1" "$2" | awk '
		/^[0-9]/ { split($0, part, /[acd]/); split(part[1], range, ","); from = range[1]; to = range[2] ? range[2] : from }
		/^</ { print "-" from++ }
		/^>/ { sub(/^> add [^ ]* /, ""); print "+" to " " $0 }'
}
confirmed_as() { # FOLDER: is it the confirmed one?
	cmp -s "$1/rules.v4" "$FLEETWALL_HOST_STATE/boot/rules.v4" && [ "$(cut -d ' ' -f 2- "$FLEETWALL_HOST_STATE/fence")" = "$generation" ]
}
# What the kernel has, without what changes by itself.
kernel() {
	{ iptables-save -t filter; ip6tables-save -t filter; } 2>/dev/null | sed '/^#/d; s/\[[0-9:]*\]//'
	ipset save | sed '/ fleetwall-test-/d; s/ hashsize.*//' | sort # a killed call may leave the one it compares with
}
# Puts a position into operation and confirms it.
settled() { # FOLDER [OLD [KEY=VALUE…]]
	bundle "$@"
	apply 0
	says "applied $bundle_position $generation"
	run 0 confirm "$token"
	says "confirmed $bundle_position $generation"
}
