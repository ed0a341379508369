# A lab of real machines: each has namespaces of its own (network, mounts, host name, processes), its own disk, identity, host key, iptables
# and sshd; all are on one bridge, which is in the namespace of the pusher. Needs root; leaves the machine that it runs on as it is.
#
# Sourced, after `set -u`, with TOP set; LAB is the folder that holds the lab (state, keys, known_hosts, ssh_config). Functions return 1, and
# say why on standard error, where they could not do it. What was started is known by its process id and start time, and ended by that.
# shellcheck shell=sh

LAB_DISK=${LAB_DISK:-32m}
LAB_SSH=${LAB_SSH-} # a further line for ssh_config
LAB_PUSHER4=10.77.255.1 LAB_PUSHER6=fd77::ffff

# Prints why there can be no lab here; nothing if there can.
lab_missing() {
	PATH=$PATH:/usr/sbin:/sbin
	if [ "$(id -u)" -ne 0 ]; then
		echo 'the lab of real machines needs root'
		return
	fi
	for program in sshd ssh ssh-keygen ip nsenter unshare iptables ipset; do
		command -v "$program" > /dev/null || { echo "$program is not installed"; return; }
	done
	# An overlay on top of a tmpfs is what machines have for /etc.
	unshare --net --mount --uts --pid --fork sh -c 'mount -t tmpfs lab /mnt && mkdir /mnt/over /mnt/work &&
		mount -t overlay -o lowerdir=/etc,upperdir=/mnt/over,workdir=/mnt/work overlay /etc &&
		ip link add lab0 type bridge && ip link add v type veth peer name w' > /dev/null 2>&1 ||
		echo 'no namespaces with networks and overlays can be made here'
}

# --- processes -------------------------------------------------------------------------------------------------------

# When a process began, which tells it from a later one with the same id.
lab_began() {
	read -r stat 2> /dev/null < "/proc/$1/stat" || return 0
	# shellcheck disable=SC2086 # numbers
	set -- ${stat##*) }
	shift 19
	echo "$1"
}

# lab_spawn NAME OPTION… PROGRAM…: in new namespaces; their first process is recorded as NAME's.
lab_spawn() {
	spawned=$1
	shift
	setsid unshare --net --mount --uts --pid --fork --kill-child --mount-proc "$@" \
		> "$LAB/$spawned/console" 2>&1 < /dev/null 9>&- &
	parent=$!
	turns=0
	while :; do
		child=
		# There is no newline behind it.
		read -r child _ 2> /dev/null < "/proc/$parent/task/$parent/children" || :
		[ -z "$child" ] || break
		turns=$((turns + 1))
		if [ "$turns" -gt 500 ]; then
			echo "lab: $spawned does not start" >&2
			return 1
		fi
		sleep 0.01
	done
	echo "$child $(lab_began "$child")" > "$LAB/$spawned/process"
}

# lab_pid NAME: the first process of the machine, as seen from here; nothing if it is gone.
lab_pid() {
	read -r process began 2> /dev/null < "$LAB/$1/process" || return 1
	[ "$(lab_began "$process")" = "$began" ] || return 1
	echo "$process"
}

# lab_await SECONDS FILE: it has content
lab_await() {
	turns=$(($1 * 20))
	until [ -s "$2" ]; do
		turns=$((turns - 1))
		[ "$turns" -gt 0 ] || return 1
		sleep 0.05
	done
}

# --- up and down -------------------------------------------------------------------------------------------------------

lab_hub() {
	mkdir "$LAB/pusher"
	# shellcheck disable=SC2016 # the inner shell expands
	lab_spawn pusher sh -c 'hostname pusher
		ip link set lo up
		ip link add lab0 type bridge forward_delay 0 mcast_snooping 0
		ip address add "$1/16" dev lab0
		ip address add "$2/64" dev lab0 nodad
		ip link set lab0 up
		ip route replace default dev lab0
		ip -6 route replace default dev lab0
		echo ready > "$3"
		trap "" HUP INT TERM
		while :; do sleep 3600 & wait $! || :; done' hub "$LAB_PUSHER4" "$LAB_PUSHER6" "$LAB/pusher/ready" || return 1
	lab_await 20 "$LAB/pusher/ready" || { cat "$LAB/pusher/console" >&2; return 1; }
}

# lab_prepare NUMBER NAME[=IPV4,IPV6]: its folder, key and addresses
lab_prepare() {
	number=$1 name=${2%%=*} addresses=${2#"${2%%=*}"}
	addresses=${addresses#=}
	mkdir -p "$LAB/$name"
	four=${addresses%%,*}
	six=${addresses#"$four"}
	six=${six#,}
	echo "${four:-10.77.$((number / 250)).$((number % 250 + 1))}" > "$LAB/$name/four"
	echo "${six:-$(printf 'fd77::%x' "$number")}" > "$LAB/$name/six"
	echo "port$number" > "$LAB/$name/port"
	ssh-keygen -q -t ed25519 -N '' -C "$name" -f "$LAB/$name/host_key"
}

lab_known() {
	read -r type key _ < "$LAB/$1/host_key.pub"
	read -r four < "$LAB/$1/four"
	read -r six < "$LAB/$1/six"
	echo "$1,$four,$six $type $key" >> "$LAB/known_hosts"
	printf 'Host %s\n\tHostName %s\n\tHostKeyAlias %s\n' "$1" "$four" "$1" >> "$LAB/ssh_config"
}

# Starts it, and puts in the cable from the bridge while it makes its disk.
lab_boot() {
	read -r four < "$LAB/$1/four"
	read -r six < "$LAB/$1/six"
	read -r port < "$LAB/$1/port"
	lab_spawn "$1" "$TOP/tests/lab/machine" "$LAB/$1" "$1" "$four" "$six" "$LAB_DISK" || return 1
	lab_pusher ip link add "$port" type veth peer name eth0 netns "$child" &&
		lab_pusher ip link set "$port" master lab0 up && return
	echo "lab: no cable for $1: $(cat "$LAB/$1/console")" >&2
	return 1
}

# lab_up NAME[=IPV4,IPV6]…: makes LAB, and so many machines in it; without addresses they get 10.77.x.y and fd77::n. Returns 2, and
# touches nothing, where there is a lab already.
lab_up() {
	mkdir -p "$LAB"
	if ! (set -C && : > "$LAB/machines") 2> /dev/null; then
		echo "lab: there is a lab in $LAB already" >&2
		return 2
	fi
	ssh-keygen -q -t ed25519 -N '' -C lab -f "$LAB/client"
	cat > "$LAB/ssh_config" <<-END
		IdentityFile $LAB/client
		IdentitiesOnly yes
		UserKnownHostsFile $LAB/known_hosts
		GlobalKnownHostsFile /dev/null
		StrictHostKeyChecking yes
		BatchMode yes
		User root
		$LAB_SSH
	END
	lab_hub && lab_add "$@" || return 1
}

# lab_add NAME[=IPV4,IPV6]…: more machines for a lab that is up.
lab_add() {
	count=$(grep -c . "$LAB/machines")
	added=
	for wanted; do
		count=$((count + 1))
		added="$added ${wanted%%=*}"
		echo "${wanted%%=*}" >> "$LAB/machines"
		lab_prepare "$count" "$wanted" || return 1
	done
	# Options for every host are first in the file; those that were added since come behind.
	for name in $added; do
		lab_known "$name"
		lab_boot "$name" || return 1
	done
	for name in $added; do
		lab_await 60 "$LAB/$name/ready" || { echo "lab: $name is not up: $(cat "$LAB/$name/console")" >&2; return 1; }
	done
}

# lab_off NAME: as if its power were cut: every process in it ends, its disk is lost.
lab_off() {
	pid=$(lab_pid "$1") || return 0
	kill -9 "$pid" 2> /dev/null
	turns=500
	while [ "$turns" -gt 0 ] && lab_pid "$1" > /dev/null; do
		turns=$((turns - 1))
		sleep 0.02
	done
}

# Ends all that lab_up started, and removes LAB.
lab_down() {
	[ -e "$LAB/machines" ] || return 0
	for name in $(cat "$LAB/machines") pusher; do
		! pid=$(lab_pid "$name") || kill -9 "$pid" 2> /dev/null
	done
	for name in $(cat "$LAB/machines") pusher; do
		lab_off "$name"
	done
	rm -rf "$LAB"
}

# --- use -----------------------------------------------------------------------------------------------------------------

# lab_in NAME COMMAND…: on the machine. Files of ours may be out of its sight: give it scripts on standard input.
lab_in() {
	pid=$(lab_pid "$1") || { echo "lab: $1 is not up" >&2; return 1; }
	shift
	nsenter -t "$pid" --mount --net --uts --pid --wd=/ -- "$@"
}

# lab_pusher COMMAND…: here, with the network of the pusher. Files, users and Unix sockets are those of this machine.
lab_pusher() {
	hub=$(lab_pid pusher) || { echo 'lab: the pusher is not up' >&2; return 1; }
	nsenter -t "$hub" --net -- "$@"
}

# lab_ssh NAME COMMAND…: from the pusher, with the host key checked.
lab_ssh() {
	lab_pusher ssh -F "$LAB/ssh_config" "$@"
}

# lab_tcp FROM ADDRESS PORT: can a TCP connection be made? FROM is a machine or `pusher`. Without any other program on it.
lab_tcp() {
	set -- "$1" bash -c "exec 3<> /dev/tcp/$2/$3" 
	from=$1
	shift
	if [ "$from" = pusher ]; then
		lab_pusher timeout 2 "$@" 2> /dev/null
	else
		lab_in "$from" timeout 2 "$@" 2> /dev/null
	fi
}

# lab_listen NAME PORT…: something answers there with the machine's name, over both families, as long as it is up.
lab_listen() {
	listener=$1
	shift
	for port; do
		# Whoever reads what we print must not wait for it.
		(
			exec > /dev/null 2>&1 < /dev/null 9>&-
			lab_in "$listener" setsid busybox nc -ll -p "$port" -e hostname
		) &
	done
	for port; do
		turns=200
		until lab_in "$listener" grep -qi ":$(printf %04X "$port") [0-9A-F:]* 0A " /proc/net/tcp /proc/net/tcp6; do
			turns=$((turns - 1))
			[ "$turns" -gt 0 ] || { echo "lab: nothing listens on port $port of $listener" >&2; return 1; }
			sleep 0.02
		done
	done
}

# --- faults ----------------------------------------------------------------------------------------------------------------

lab_port() {
	read -r port < "$LAB/$1/port" && echo "$port"
}
# lab_cut NAME, lab_join NAME: the cable out and in again.
lab_cut() { lab_pusher ip link set "$(lab_port "$1")" down; }
lab_join() { lab_pusher ip link set "$(lab_port "$1")" up; }
# lab_slow NAME [RATE]: so much a second goes to the machine (64kbit), the rest waits for its turn; as fast as it goes without RATE.
lab_slow() {
	if [ $# -eq 1 ]; then
		lab_pusher tc qdisc del dev "$(lab_port "$1")" root
	else
		lab_pusher tc qdisc replace dev "$(lab_port "$1")" root tbf rate "$2" burst 2kb latency 10s
	fi
}
# lab_lose NAME [PERCENT]: so many of the packets from and to it are lost; none without PERCENT. (Not by netem, which many kernels lack.)
lab_lose() {
	lossy=$(lab_port "$1")
	lab_pusher nft delete table bridge "$lossy" 2> /dev/null
	[ $# -gt 1 ] || return 0
	lab_pusher nft -f - <<-END
		table bridge $lossy {
			chain in { type filter hook prerouting priority 0; iifname $lossy numgen random mod 100 <= $(($2 - 1)) drop; }
			chain out { type filter hook postrouting priority 0; oifname $lossy numgen random mod 100 <= $(($2 - 1)) drop; }
		}
	END
}
# lab_netem NAME WORDS…: delay 100ms, duplicate 1%, … where the kernel has netem; else 2.
lab_netem() {
	shaped=$(lab_port "$1")
	shift
	lab_pusher tc qdisc replace dev "$shaped" root netem "$@"
}

# lab_sshd NAME stop|kill|start|freeze|thaw: stop ends the listener, kill its sessions as well; a frozen one still takes connections (the
# kernel does), and says nothing.
lab_sshd() {
	# shellcheck disable=SC2016
	lab_in "$1" sh -c 'case $1 in
		stop) kill "$(cat /run/sshd.pid)" ;;
		kill) kill -9 $(pidof sshd) ;;
		start) /usr/sbin/sshd -E /var/log/sshd.log ;;
		freeze) kill -STOP "$(cat /run/sshd.pid)" ;;
		thaw) kill -CONT "$(cat /run/sshd.pid)" ;;
		*) exit 2 ;;
		esac' sshd "$2"
}

# lab_new_key NAME: another host key, as after an installation; known_hosts keeps the old one.
lab_new_key() {
	lab_in "$1" sh -c 'rm /etc/ssh/host_key* && ssh-keygen -q -t ed25519 -N "" -f /etc/ssh/host_key && kill -HUP "$(cat /run/sshd.pid)"'
}

# lab_kill NAME PATTERN: kill -9 for every process of the machine whose command line has it; 1 if there is none.
lab_kill() {
	victims=$(lab_in "$1" pgrep -f -- "$2") || return 1
	# shellcheck disable=SC2086 # numbers
	lab_in "$1" kill -9 $victims
}

# lab_fill NAME, lab_empty NAME: no room on its disk, and room again.
lab_fill() {
	lab_in "$1" sh -c '! dd if=/dev/zero of=/var/tmp/lab-fill bs=4k 2> /dev/null'
}
lab_empty() { lab_in "$1" rm -f /var/tmp/lab-fill; }

# lab_hide NAME PROGRAM: as if it were not installed. lab_legacy NAME: iptables of the other backend.
lab_hide() {
	lab_in "$1" sh -c 'mount --bind /dev/null "$(readlink -f "$(command -v "$1")")"' hide "$2"
}
lab_legacy() {
	lab_in "$1" sh -c 'for tool in iptables ip6tables; do ln -sf /usr/sbin/$tool-legacy /etc/alternatives/$tool
		for verb in save restore; do ln -sf /usr/sbin/$tool-legacy-$verb /etc/alternatives/$tool-$verb; done; done'
}
