#!/bin/sh
# make install: the program, its pages, the units and the cron file are where each is looked for, name the program where it is, and are
# understood; what somebody changed in /etc stays; make uninstall takes the rest away.
set -u
. tests/live/lib/command.sh

make_it() { # TARGET SETTING…: of what is built; the make that runs the tests is no concern of this one
	env -u MAKEFLAGS -u MAKELEVEL make -s -o all BUILD="$BUILD" DESTDIR="$home/root" "$@" > "$home/out" 2> "$home/err"
}
there() { # FILE…: below DESTDIR
	for file; do holds "$file is there" test -s "$home/root$file"; done
}
mkdir "$home/root"
holds 'it installs' make_it install
there /usr/local/bin/fleetwall /usr/local/share/bash-completion/completions/fleetwall /usr/local/share/man/man1/fleetwall.1 /usr/local/share/man/man8/fleetwall-host.8 \
	/usr/local/lib/systemd/system/fleetwall-nightly.service /usr/local/lib/systemd/system/fleetwall-nightly.timer \
	/usr/local/lib/systemd/system/fleetwall-watch.service /etc/cron.d/fleetwall /usr/local/share/doc/fleetwall/fleetwall.conf
holds 'it runs' "$home/root/usr/local/bin/fleetwall" --version
holds 'every file can be read by anybody' test -z "$(find "$home/root" -type f ! -perm -444)"
holds 'no placeholder is left' test -z "$(grep -rl @bindir@ "$home/root/etc" "$home/root/usr/local/lib")"

# What the README leads to is there.
documents=$home/root/usr/local/share/doc/fleetwall
for link in $(grep -o '](\([^)]*\))' "$documents/README.md" | tr -d ']()'); do there "/usr/local/share/doc/fleetwall/$link"; done
for page in $(grep -o '`man [1-8] [a-z-]*`' "$documents/README.md" | sed 's/`man \(.\) \(.*\)`/man\1\/\2.\1/'); do there "/usr/local/share/man/$page"; done
holds 'it leads to no folder of the sources' test -z "$(grep -oE 'packaging/(doc|man)/|push/fleetwall' "$documents/README.md")"

# The example is a configuration, as it stands and with all that it switches off, but for the database, which nobody has.
example=$home/root/usr/local/share/doc/fleetwall/fleetwall.conf
sed 's/^# \([a-z_]* = .*;\)$/\1/' "$example" > "$home/switched.conf"
holds 'five settings are switched off' test "$(diff "$example" "$home/switched.conf" | grep -c '^>')" -eq 5
for file in "$example" "$home/switched.conf"; do
	run 3 --config "$file" --database host=/nowhere query roles
	complains /nowhere
done

# Off until somebody switches it on, as the timer is; then it runs the program, as root.
cron=$home/root/etc/cron.d/fleetwall
holds 'cron runs nothing yet' test "$(grep -cE '^[^#A-Z]' "$cron")" -eq 0
sed -i 's/^#30/30/' "$cron"
holds 'then it runs the nightly job' grep -qx '30 2 \* \* \* root /usr/local/bin/fleetwall nightly' "$cron"
holds 'it installs again' make_it install
holds 'it stays switched on' grep -q '^30 ' "$cron"

holds 'it goes' make_it uninstall
says 'left as it is'
holds 'nothing else is left' test "$(find "$home/root" -type f)" = "$cron"
holds 'elsewhere' make_it install prefix=/opt/fleetwall
there /opt/fleetwall/bin/fleetwall /opt/fleetwall/etc/cron.d/fleetwall
holds 'elsewhere it goes' make_it uninstall prefix=/opt/fleetwall
holds 'the rest is gone' test "$(find "$home/root" -type f)" = "$cron"

# Where the program really is, as systemd looks for it.
if command -v systemd-analyze > /dev/null; then
	rm -r "$home/root"
	holds 'it installs into a folder' make_it install DESTDIR= prefix="$home/here"
	for unit in "$home"/here/lib/systemd/system/*; do
		holds "systemd understands ${unit##*/}" systemd-analyze verify --man=no "$unit"
		holds "and has nothing to say of ${unit##*/}" test ! -s "$home/err"
	done
fi
finish
