# For tests that look into an output folder from the outside, by sha256sum alone. Sourced after command.sh, whose $home it writes to.
# shellcheck shell=sh disable=SC2154

# generation_whole OUT FOLDER: every object that the lists of this generation name is there and has its digest. What a ruleset's digest is of
# is written down first, for all of them at once: a process for each object would cost more than what is tested.
generation_whole() {
	[ -e "$2/manifest" ] && [ -e "$2/sets" ] || return 1
	rm -rf "$home/lists" && mkdir "$home/lists"
	sed "s|^\(..\)\(.\{30\}\).*|$1/store/rulesets/\1/\1\2|" "$2/manifest" | sort -u | sed 's|.*|&/rules.v4 &/rules.v6 &/sets.list|' | xargs -r sha256sum |
		awk -v lists="$home/lists" '{ n = split($2, at, "/"); print $1 "  " at[n] > (lists "/" at[n - 1]) }'
	[ ! -s "$2/manifest" ] || sed 's/^\(.\{32\}\)\([0-9a-f]*\)  .*/\1\2  \1/' "$2/manifest" | sort -u | (cd "$home/lists" && sha256sum --quiet -c -) ||
		return 1
	[ ! -s "$2/sets" ] || sed "s|^\(..\)\(.\{30\}\)\([0-9a-f]*\)  .*|\1\2\3  $1/store/sets/\1/\1\2|" "$2/sets" | sha256sum --quiet -c -
}
