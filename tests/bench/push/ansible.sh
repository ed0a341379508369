# shellcheck shell=sh disable=SC2154
# Ansible on the same machines with the same rules, for push.sh; playbook.yml says what it does. As its manual has it for speed: pipelining, its
# connections kept (ControlPersist, its default), as many at once as fleetwall, no facts.

ansible_missing() {
	command -v ansible-playbook >/dev/null || {
		echo 'ansible is not installed'
		return
	}
	LC_ALL=C.UTF-8 ansible-doc -t module community.general.iptables_state >/dev/null 2>&1 || echo 'the collection community.general is not installed'
}

ansible_files() {
	mkdir -p "$home/ansible/sets"
	cat >"$home/ansible/ansible.cfg" <<-END
		[defaults]
		forks = $AT_ONCE
		inventory = $home/ansible/hosts
		remote_user = root
		local_tmp = $home/ansible/tmp
		[ssh_connection]
		pipelining = True
		ssh_args = -F $LAB/ssh_config -o ControlMaster=auto -o ControlPersist=60s
		control_path_dir = $home/ansible/cp
	END
	for name in $names; do
		echo "$name ansible_timeout=20 ansible_python_interpreter=/usr/bin/python3"
		while read -r set; do cat "$state/out/sets/$set"; done <"$state/out/machines/$name/sets.list" >"$home/ansible/sets/$name"
	done >"$home/ansible/hosts"
	for name in $names; do
		lab_in "$name" mkdir -p /etc/iptables || quit "preparing $name"
	done
}
play() {
	LC_ALL=C.UTF-8 HOME=$home/ansible ANSIBLE_CONFIG=$home/ansible/ansible.cfg \
		accounted client lab_pusher ansible-playbook -e "published=$state/out" -e "sets=$home/ansible/sets" "$here/playbook.yml"
}

# On fewer machines, as it takes its time: as many as it is at at once.
measure_ansible() {
	reason=$(ansible_missing)
	[ -z "$reason" ] || {
		say "SKIPPED: $reason"
		record skipped "Ansible: $reason"
		return
	}
	all=$names many=$AT_ONCE
	[ "$many" -lt "$MACHINES" ] || many=$MACHINES
	names=$(echo "$names" | head -n "$many")
	say "Ansible, $many machines"
	ansible_files
	before=$(logins)
	measured ansible "$many" play
	record ansible.connections "$(awk -v n=$(($(logins) - before)) -v m="$many" 'BEGIN { printf "%.2f", n / m }')"
	for name in $names; do
		lab_in "$name" sh -c 'iptables -S INPUT && ip6tables -S INPUT' | grep -c '^-P INPUT DROP' | grep -qx 2 || quit "Ansible on $name"
	done
	names=$all
}
