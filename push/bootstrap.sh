#!/bin/sh
# What runs on a machine that may not have fleetwall-host yet: takes the script from the beginning of the bundle, puts it
# in place if it is the one that was meant, and goes on as fleetwall-host apply. Run as sh -c TEXT bootstrap DIGEST
# SSH-CONNECTION [FILE]; it goes between single quotes, so it has none.
set -u
umask 077
d=${FLEETWALL_HOST_STATE:-/var/lib/fleetwall-host}
f=$d/in.$$ s=$d/in.script.$$
word="" lines=0
# shellcheck disable=SC2064 # now, as it should
trap "rm -f \"$f\" \"$s\"" EXIT
mkdir -p "$d" && chmod 700 "$d" && cat ${3:+"$3"} >"$f" || {
	echo "error disk: can not write below $d: make room there; nothing was touched"
	exit 5
}
[ -z "${3-}" ] || rm -f "$3"
read -r word lines <"$f"
case $word$lines in script[1-9]*) ;; *) lines=0 ;; esac
case $lines in *[!0-9]* | ????????*) lines=0 ;; esac
sed "1d; $((lines + 1))q" "$f" >"$s" && chmod 700 "$s" && sha=$(sha256sum <"$s") || {
	echo "error disk: can not write below $d, or sha256sum is missing; nothing was touched"
	exit 5
}
[ "${sha%% *}" = "$1" ] || {
	echo "error bundle: what was sent is damaged (script): nothing was done; send it again"
	exit 2
}
mv -f "$s" "$d/fleetwall-host" && exec sh "$d/fleetwall-host" apply "$1" "$2" "$f"
