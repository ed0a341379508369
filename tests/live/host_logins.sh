#!/bin/sh
# What a machine may have in place of a POSIX login shell and of root: a csh login, and a user that has to go through sudo; and
# bash as sh, without systemd's timer. Each gets the script, a ruleset, another one that is the difference, and is read; by one
# connection and by scp, whose files are gone afterwards, those of a copy that was killed too.
set -u
for needed in tcsh sudo; do
	command -v $needed >/dev/null || {
		echo "$needed is not installed"
		exit 77
	}
done
. "$TOP/tests/live/lib/push.sh"
machines='csh bash plain'
# shellcheck disable=SC2086 # names
lab_begin $machines
# login NAME SHELL: a user that may become root without a password
login() {
	lab_in "$1" sh -c 'echo "deploy:x:1500:1500::/var/tmp/deploy:$1" >>/etc/passwd
		echo "deploy:*:19000:0:99999:7:::" >>/etc/shadow
		echo "deploy:x:1500:" >>/etc/group
		mkdir -p /etc/sudoers.d && echo "deploy ALL=(root) NOPASSWD: /bin/sh" >/etc/sudoers.d/deploy && chmod 440 /etc/sudoers.d/deploy
		mkdir /var/tmp/deploy && chown 1500:1500 /var/tmp/deploy && chmod 644 /etc/ssh/lab_authorized_keys
		usermod -s "$1" root' login "$2"
}
login csh "$(command -v tcsh)"
login bash "$(command -v bash)"
login plain /bin/sh
lab_in bash mount --bind "$(command -v bash)" "$(readlink -f /bin/sh)"

# fleet PORT
fleet() {
	{
		printf 'roles = ('
		comma=
		for name in $machines; do
			printf '%s{ name = "%s"; rules = [ "allow 22/tcp", "allow %s/tcp from network:n" ]; }' "$comma" "$name" "$1"
			comma=', '
		done
		echo '); networks = ( { name = "n"; prefixes = [ "203.0.113.0/24", "198.51.100.0/24" ]; } );'
		# shellcheck disable=SC2086
		lab_machines $machines
	} >"$home/fleet.conf"
	run 0 import "$home/fleet.conf"
	generate
}
configure deploy 'user = "deploy"'
configure copied 'user = "deploy"'
echo 'transport = "scp";' >>"$home/copied.conf"
configure root
port=8000
for how in deploy copied root; do
	# A machine that has never heard of it, but where a copy was killed.
	for name in $machines; do
		lab_in "$name" sh -c 'rm -rf /var/lib/fleetwall-host
			for program in iptables ip6tables; do $program -P INPUT ACCEPT; $program -P FORWARD ACCEPT; $program -F; done
			: >/var/tmp/deploy/.fleetwall-bundle-00ff
			: >/root/.fleetwall-bundle-00ff'
	done
	for _ in brought again; do
		port=$((port + 1))
		fleet $port
		# shellcheck disable=SC2086
		run 0 --config "$home/$how.conf" push
		# shellcheck disable=SC2086
		confirmed_on "$generation" $machines
		for name in $machines; do
			holds "$how: $name has it" lab_in "$name" sh -c "iptables-save | grep -q -- '--dport $port '"
		done
	done
	run 0 --config "$home/$how.conf" drift
	for name in $machines; do
		at=/var/tmp/deploy
		[ $how != root ] || at=/root
		holds "$how: nothing is left on $name" [ -z "$(lab_in "$name" find $at /var/lib/fleetwall-host -name '.fleetwall-bundle-*' -o -name 'in.*')" ]
	done
done
finish
