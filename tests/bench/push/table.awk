# The table, from bench-push.tsv: medians, and for what has a target whether it was reached. Nothing is rounded towards the target.
BEGIN { FS = "\t" }
/^#/ { print substr($0, 3); next }
{ value[$1, ++count[$1]] = $2 }

# By insertion; -1 where nothing was measured.
function median(work,   i, j, n, sorted, swap) {
	n = count[work]
	for (i = 1; i <= n; i++)
		sorted[i] = value[work, i] + 0
	for (i = 2; i <= n; i++)
		for (j = i; j > 1 && sorted[j - 1] > sorted[j]; j--) {
			swap = sorted[j]
			sorted[j] = sorted[j - 1]
			sorted[j - 1] = swap
		}
	return n == 0 ? -1 : n % 2 ? sorted[(n + 1) / 2] : (sorted[n / 2] + sorted[n / 2 + 1]) / 2
}
function least(work,   i, found) {
	found = value[work, 1] + 0
	for (i = 2; i <= count[work]; i++)
		if (value[work, i] + 0 < found) found = value[work, i] + 0
	return found
}
function most(work,   i, found) {
	for (i = 1; i <= count[work]; i++)
		if (value[work, i] + 0 > found) found = value[work, i] + 0
	return found + 0
}
function verdict(good) {
	wanted++
	met += good
	return good ? "met" : "NOT MET"
}
function cpu(work) {
	return median(work ".client") + median(work ".machines")
}

# One kind of push: milliseconds of CPU per machine, in terms of the bare connections; machines a second; what was sent
function push(label, work, target,   text, ratio) {
	if (!count[work ".client"]) return
	ratio = count["bare.client"] ? cpu(work) / cpu("bare") : 0
	text = sprintf("  %-36s %6.1f + %6.1f = %6.1f %8s %8.1f", label, median(work ".client"), median(work ".machines"), cpu(work),
		ratio > 0 ? sprintf("%.2f x", ratio) : "", median(work ".rate"))
	text = text sprintf(" %8s %6s", count[work ".connections"] ? sprintf("%.2f", median(work ".connections")) : "",
		count[work ".bytes"] ? sprintf("%d", median(work ".bytes")) : "")
	if (target > 0 && ratio > 0)
		text = text sprintf("  <= %.1f x, 2 connections: %s", target, verdict(ratio <= target && median(work ".connections") == 2))
	sub(/ +$/, "", text)
	print text
}
function one(label, figure, target, good) {
	printf "  %-70s %10s%s\n", label, figure, target == "" ? "" : sprintf("  %s: %s", target, verdict(good))
}

END {
	print "Medians; what is to be reached is about a quiet machine."
	if (count["machines"]) {
		printf "\n%d machines, %d at once%24s %8s %8s %8s %6s\n", value["machines", 1], 20, "ms of CPU a machine", "x bare", "per s", "connect", "bytes"
		print "                                       client + machine"
		push("two bare cat FILE | ssh HOST", "bare")
		push("first push", "first")
		push("push of one changed rule", "change")
		push("    its connections alone", "transport", 1.3)
		push("Ansible, iptables_state (see below)", "ansible")
		if (count["change.client"]) {
			one("PostgreSQL for a push, ms of CPU a machine", sprintf("%.1f", median("change.database")))
			one("what fleetwall-host does there (refuse, try, save, apply, confirm), ms", sprintf("%.0f",
				median("change.machines") - median("transport.machines")))
		}
		if (count["ansible.rate"] && count["change.rate"]) {
			one("machines a second, push of one changed rule", sprintf("%.1f x Ansible", median("change.rate") / median("ansible.rate")), ">= 3 x",
				median("change.rate") >= 3 * median("ansible.rate"))
			one("machines a second, first push", sprintf("%.1f x Ansible", median("first.rate") / median("ansible.rate")), ">= 3 x",
				median("first.rate") >= 3 * median("ansible.rate"))
		}
	}
	if (count["ansible.client"]) {
		print "  Ansible copies rules and sets, loads the sets, then each family by itself with iptables_state, which goes back unless it is confirmed"
		print "  over a new connection; it does not try first, and does not take back sets, the other family, or what is loaded at boot. One batch."
	}
	if (count["member.bytes"]) {
		print "\nA set of 100,000 members gets one more"
		one("bytes on the wire to a machine", sprintf("%d", most("member.bytes")), "< 1024", most("member.bytes") < 1024)
		one("ipset commands there that change something", sprintf("%d", most("member.changes")), "1", most("member.changes") == 1)
		one("loads of rules there", sprintf("%d", most("member.loads")), "0", most("member.loads") == 0)
		one("counters of the rules", least("member.kept") ? "kept" : "lost", "kept", least("member.kept") == 1)
		one("the files for boot", least("member.boot") ? "have it" : "lack it", "have it", least("member.boot") == 1)
		one("seconds from the claim to the confirm", sprintf("%.2f", median("member.seconds")))
	}
	if (count["nothing.seconds"]) {
		printf "\n%d machines where nothing changed\n", value["nothing.machines", 1]
		one("fleetwall push, seconds; no program was there to contact anybody", sprintf("%.3f", median("nothing.seconds")), "< 0.100",
			median("nothing.seconds") < 0.1)
	}
	if (count["memory.kib"]) {
		printf "\n%d machines in flight (programs that take their time in place of ssh)\n", most("memory.speaking")
		one("the pusher's memory at its peak, MiB", sprintf("%.1f", most("memory.kib") / 1024), "< 64, with 1,000",
			most("memory.kib") < 65536 && most("memory.speaking") >= 1000)
		one("processes besides it and one for each machine", sprintf("%d", most("memory.besides")), "0", most("memory.besides") == 0)
	}
	for (i = 1; i <= count["skipped"]; i++) print "\nSKIPPED: " value["skipped", i]
	printf "\n%d of %d targets met\n", met, wanted
}
