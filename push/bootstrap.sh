#!/bin/sh
# What runs on a machine that may not have fleetwall-host yet: takes the script from the beginning of the bundle, puts it
# in place if it is the one that was meant, and goes on as fleetwall-host apply with the rest. Run as sh -c TEXT bootstrap
# DIGEST SSH-CONNECTION [FILE]. The text, without these lines, goes between single quotes through any login shell: so it
# has none, no exclamation mark, which csh would expand, and a backslash before each newline, which csh wants.
# shellcheck disable=SC2015,SC2064
set -u; \
umask 077; \
d=${FLEETWALL_HOST_STATE:-/var/lib/fleetwall-host}; \
f=$d/in.$$ s=$d/in.script.$$ word="" lines=0; \
trap "rm -f \"$f\" \"$s\"" EXIT; \
full() { \
	echo "error disk: can not write below $d: make room there; nothing was touched"; \
	exit 5; \
}; \
bad() { \
	echo "error bundle: what was sent is damaged (script): nothing was done; send it again"; \
	exit 2; \
}; \
mkdir -p "$d" && chmod 700 "$d" || full; \
[ $# -lt 3 ] || exec <"$3" || bad; \
[ $# -lt 3 ] || rm -f "$3"; \
read -r word lines; \
[ "$word" = script ] && [ "$lines" -gt 0 ] 2>/dev/null || bad; \
sed -n "$((lines + 1)),\$p; 1,${lines}w $s" >"$f" && chmod 700 "$s" && sha=$(sha256sum <"$s") || full; \
[ "${sha%% *}" = "$1" ] || bad; \
sync -f "$s" 2>/dev/null || sync; \
mv -f "$s" "$d/fleetwall-host" && exec sh "$d/fleetwall-host" apply "$1" "$2" "$f"; \
full
