# shellcheck shell=sh
# What a table of measurements says of the machine that they were made on.

this_machine() {
	processor=$(sed -n 's/^model name[^:]*: //p' /proc/cpuinfo | head -n 1)
	echo "$(nproc) cores (${processor:-unknown}), $(awk '/^MemTotal/ { printf "%.0f GiB", $2 / 1048576 }' /proc/meminfo), Linux $(uname -r | cut -d- -f1)"
}

# What others do with the processors now; the load average would tell of the build that just ended.
busy_percent() {
	{
		grep '^cpu ' /proc/stat
		sleep 2
		grep '^cpu ' /proc/stat
	} | awk '{ all = 0; for (i = 2; i <= 9; i++) all += $i; idle = $5 + $6; if (NR == 1) { a = all; b = idle } }
		END { printf "%.0f", (all > a) ? 100 - 100 * (idle - b) / (all - a) : 0 }'
}

say_quiet() {
	busy=$(busy_percent)
	[ "$busy" -le 10 ] || echo "# NOT A QUIET MACHINE: others had $busy % of it before anything was measured"
}
