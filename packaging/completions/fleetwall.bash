# Completion of fleetwall for bash: commands and options from the program's own --help, machines from the folder that it publishes to.
# Asks no database: nothing is started, and nobody waits, because somebody pressed Tab.
# shellcheck shell=bash

# The words of each command, one command a line.
_fleetwall_commands() {
	fleetwall --help 2>/dev/null | sed -n '/^commands/,/^$/{ /^  [a-z]/!d; s/^  //; s/   *.*//; s/ [^a-z].*//; p; }'
}

# "--option VALUE" or "--option", one a line: those of a command, and those of all. $*: its words
_fleetwall_options() {
	fleetwall "$@" --help 2>/dev/null | sed -n 's/^  \(--[a-z-]*\)\( [^ ]*\)\{0,1\}\(  .*\)\{0,1\}$/\1\2/p'
	printf -- '--help\n--version\n'
}

# What the arguments of a command are, each a word. $*: its words
_fleetwall_arguments() {
	fleetwall "$@" --help 2>/dev/null | sed -n "1{ s/.*… $*//; s/\[--[a-z]* //; s/[][]//g; p; }"
}

# The value of a setting: of the option of its name on the line, else of the configuration. $1: its name
_fleetwall_setting() {
	local i config=${FLEETWALL_CONFIG:-/etc/fleetwall/fleetwall.conf}

	for ((i = 1; i < COMP_CWORD; i++)); do
		[[ ${COMP_WORDS[i]} != "--$1" ]] || { echo "${COMP_WORDS[i + 1]}" && return; }
		[[ ${COMP_WORDS[i]} != --config ]] || config=${COMP_WORDS[i + 1]}
	done
	sed -n 's/^[[:space:]]*'"$1"'[[:space:]]*=[[:space:]]*"\([^"]*\)".*/\1/p' "$config" 2>/dev/null
}

# Those that are published. $1: how they begin
_fleetwall_machines() {
	local machine state output

	output=$(_fleetwall_setting output)
	state=$(_fleetwall_setting state)
	if [[ -z $state && $EUID -eq 0 ]]; then state=/var/lib/fleetwall; fi
	output=${output:-${state:-${XDG_STATE_HOME:-$HOME/.local/state}/fleetwall}/out}
	for machine in "$output"/machines/"$1"*; do
		[[ ! -L $machine ]] || echo "${machine##*/}"
	done
}

# $1: the word that says what is wanted, $2: how it begins
_fleetwall_values() {
	case $1 in
	*FILE* | *DIR*) compopt -o filenames 2>/dev/null; compgen -f -- "$2" ;;
	*MACHINE* | *WORD… | SOURCE | DESTINATION) _fleetwall_machines "$2" ;;
	KIND) compgen -W 'aws ansible iptables-save' -- "$2" ;;
	MODE) compgen -W 'exclusive coexist' -- "$2" ;;
	E) compgen -W 'enforce monitor unmanaged' -- "$2" ;;
	S) compgen -W 'error warning notice' -- "$2" ;;
	'open|closed') compgen -W 'open closed' -- "$2" ;;
	esac
}

# Of the words before the cursor: the command, how many arguments follow it, and what the option that stands last wants.
_fleetwall_read() {
	local i word

	for ((i = 1; i < COMP_CWORD; i++)); do
		word=${COMP_WORDS[i]}
		if [[ -n $wanted ]]; then
			wanted=
		elif [[ $word == -* ]]; then
			wanted=$(awk -v option="$word" '$1 == option { print $2 }' <<<"$options")
		elif [[ $count -eq 0 && $'\n'$commands =~ $'\n'"${command:+$command }$word"($'\n'|' ') ]]; then
			command+=${command:+ }$word
			# shellcheck disable=SC2086 # the words of a command
			options=$(_fleetwall_options $command)
		else
			count=$((count + 1))
		fi
	done
}

_fleetwall() {
	local commands options command='' wanted='' count=0 current=${COMP_WORDS[COMP_CWORD]} arguments last

	commands=$(_fleetwall_commands)$'\n'
	options=$(_fleetwall_options)
	_fleetwall_read
	if [[ -n $wanted ]]; then
		mapfile -t COMPREPLY < <(_fleetwall_values "$wanted" "$current")
		return
	fi
	if [[ $current == -* ]]; then
		mapfile -t COMPREPLY < <(compgen -W "$(cut -d ' ' -f 1 <<<"$options")" -- "$current")
		return
	fi
	mapfile -t COMPREPLY < <(
		[[ $count -gt 0 ]] || compgen -W "$(sed -n "s/^${command:+$command }\([a-z-]*\).*/\1/p" <<<"$commands" | sort -u)" -- "$current"
		# shellcheck disable=SC2086 # the words of a command
		read -r -a arguments < <([[ -z $command ]] || _fleetwall_arguments $command)
		last=$((${#arguments[@]} > 0 ? ${#arguments[@]} - 1 : 0))
		[[ $count -le $last || ${arguments[last]} != *… ]] || count=$last
		_fleetwall_values "${arguments[count]-}" "$current"
	)
}

complete -F _fleetwall fleetwall
