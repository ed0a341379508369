#!/bin/sh
# What --help offers: the manual page has each command and each of its options, and bash completes them from it, without a database.
set -u
. tests/live/lib/command.sh

# --- the manual page: "COMMAND WORDS OPTION" of all that stands below a command's heading, beside what stands there for several ---

"$FLEETWALL" --help | sed -n '/^commands/,/^$/s/^  \([a-z].*\)/\1/p' | sed 's/   *.*//; s/ [^a-z].*//' >"$home/commands"
holds 'help lists the commands' test "$(wc -l <"$home/commands")" -gt 70
sed 's/\\-/-/g' packaging/man/fleetwall.1 | grep -E '^\.(It|Fl|Pq|Op|Oo|Ql|Cm) ' | sed 's/^\.[A-Z][a-z] //; s/[|()]/ /g; s/ No / /g; s/ Ns//g; s/.*/ & /' >"$home/page"
unsaid=$(awk 'FNR == NR { page[++lines] = $0; next }
	{
		for (i = 1; i <= lines; i++) {
			for (k = 1; k <= NF && index(page[i], " " $k " ") > 0; k++);
			if (k > NF) next
		}
		print
	}' "$home/page" "$home/commands")
holds "the page has every command: $unsaid" test -z "$unsaid"
while read -r words; do
	# shellcheck disable=SC2086 # the words of a command
	"$FLEETWALL" $words --help
done <"$home/commands" | sed -n '/^options:/,/^$/s/^  --\([a-z-]*\).*/\1/p' | sort -u >"$home/options"
# "--no-address and the like"
unsaid=$(grep -v '^no-' "$home/options" | awk 'FNR == NR { page = page $0; next } index(page, " -" $1 " ") == 0' "$home/page" -)
holds "the page has every option: $unsaid" test -z "$unsaid"

# --- completion ---

mkdir -p "$home/out.d/machines" "$home/bin"
ln -s "$FLEETWALL" "$home/bin/fleetwall"
for name in web1 web2 db1; do ln -s ../x "$home/out.d/machines/$name"; done
printf 'state = "%s/state"; # elsewhere\noutput = "%s/out.d";\n' "$home" "$home" >"$FLEETWALL_CONFIG"
cat >"$home/complete" <<'END'
. packaging/completions/fleetwall.bash
while read -r -a COMP_WORDS; do
	[[ ${COMP_WORDS[-1]} != . ]] || COMP_WORDS[-1]=''
	COMP_CWORD=$((${#COMP_WORDS[@]} - 1)) COMPREPLY=()
	_fleetwall
	echo "${COMPREPLY[*]}"
done
END
# completes LINE WORDS: the last word is completed, "." stands for one that is not begun
completes() {
	got=$(echo "fleetwall $1" | PATH=$home/bin:$PATH bash "$home/complete" 2>&1)
	: >"$home/out"
	echo "$got" >"$home/err"
	holds "$1 becomes: $2" test "$got" = "$2"
}
completes 'gen' 'generate generation'
completes '--json generation .' 'list pin publish unpin'
completes 'generation pin --re' '--reason'
completes '--state db1 machine show w' 'web1 web2'
completes 'role assign web d' 'db1'
completes 'role assign d' ''
completes 'push --only web1 --adopt .' 'db1 web1 web2'
completes 'machine add new --mode .' 'exclusive coexist'
completes "--output $home/none push ." ''
completes 'nosuch .' ''
holds 'nothing was made or started' test ! -e "$home/state"
finish
