#!/bin/sh
# A set of 100,000 members that gains one: under 1 KiB, one changing ipset command, rules not loaded again, their counters
# go on; confirmed and kept for boot like anything else. A set that is not as it was confirmed is asked for whole. Undo
# brings back both. What is read for drift says the same digests.
set -u
. "$TOP/tests/live/lib/host.sh"

seq -f '%.0f' 1 100000 | awk '{ printf "10.%d.%d.%d\n", 128 + $1 / 65536, ($1 / 256) % 256, $1 % 256 }' | sort -u >"$home/addresses"
large() { # FOLDER: position a with this large set, from standard input
	position exclusive "$1" 3306
	set_file $W4 | sed '/^flush/q' >"$1/$W4"
	sed "s/^/add fw4-${W4%.v4}.n /" >>"$1/$W4"
	set_file $W4 | sed '1,/^flush/d' >>"$1/$W4"
}
large "$home/a" <"$home/addresses"
sed '50000a 10.1.2.3' "$home/addresses" | large "$home/b"

# ipset and the restores say what they were called for
mkdir "$home/telling"
for program in ipset iptables-restore ip6tables-restore; do
	cat >"$home/telling/$program" <<-END
		#!/bin/sh
		echo "$program \$*" >>$home/calls
		exec $(command -v $program) "\$@"
	END
	chmod 755 "$home/telling/$program"
done
whole_path=$PATH
settled "$home/a"
iptables -Z
printf 'x' >/dev/null
ip addr add 10.9.9.9/32 dev lo
iptables-save -c -t filter | sed '/^#/d' >"$home/counted"
iptables-restore -c <<END
$(sed 's/^-A INPUT -i lo/[5:500] &/; s/^-A INPUT -m conntrack/[7:700] &/' "$home/a/rules.v4")
END
iptables-save -c -t filter | sed '/^#/d' >"$home/counted"
holds 'there are counters' grep -q '^\[7:700\]' "$home/counted"

bundle "$home/b" "$home/a"
size=$(wc -c <"$home/bundle")
holds "the bundle has $size bytes" [ "$size" -lt 1024 ]
: >"$home/calls"
PATH=$home/telling:$whole_path
apply 0
PATH=$whole_path
says 'tried no only members of sets change'
cp "$home/calls" "$home/out"
holds 'no rules are loaded' [ "$(grep -c 'tables-restore' "$home/calls")" = 0 ]
holds 'one ipset changes something' [ "$(grep -cv 'ipset save\|ipset list' "$home/calls")" = 1 ]
iptables-save -c -t filter | sed '/^#/d' >"$home/after"
same 'counters go on' "$home/counted" "$home/after"
holds 'the member' ipset -q test fw4-web-dc6e60f51867 10.1.2.3
run 0 confirm "$token"
same 'it is kept whole' "$home/b/$W4" "$FLEETWALL_HOST_STATE/boot/$W4"
holds 'what did not change is linked' [ "$(stat -c %h "$FLEETWALL_HOST_STATE/boot/rules.v4")" = 2 ]
run 0 read
says "fw4-web-dc6e60f51867 $(sed -n 's/^add [^ ]* //p' "$home/b/$W4" | LC_ALL=C sort | sha256sum | cut -c 1-64) $(grep -c '^add' "$home/b/$W4")"
run 0 read-set fw6-web-dc6e60f51867
says 'fd00::2'

# More, and undone: with smaller sets.
head -n 3000 "$home/addresses" | sed '50i 10.1.2.3' | large "$home/b"
sed '500,520d' "$home/addresses" | head -n 3000 | sed '1i 10.1.2.0/24' | sed '$a 10.1.3.0/24' | large "$home/c"
sed -n 'n;p' "$home/addresses" | head -n 2000 | sed '7i 10.1.2.3' | large "$home/d"
settled "$home/b"
for new in c d; do
	bundle "$home/$new" "$home/b"
	apply 0
	ipset save fw4-web-dc6e60f51867 | sed -n 's/^add [^ ]* //p' | sort >"$home/has"
	sed -n 's/^add [^ ]* //p' "$home/$new/$W4" | sort >"$home/wants"
	same "members of $new" "$home/wants" "$home/has"
	run 0 rollback "$token"
	ipset save fw4-web-dc6e60f51867 | sed -n 's/^add [^ ]* //p' | sort >"$home/has"
	sed -n 's/^add [^ ]* //p' "$home/b/$W4" | sort >"$home/wants"
	same 'members of b again' "$home/wants" "$home/has"
done

# Somebody else changed the set.
ipset del fw4-web-dc6e60f51867 10.1.2.3
bundle "$home/c" "$home/b"
apply 8
says 'error base:'
holds 'nothing waits' [ ! -e "$FLEETWALL_HOST_STATE/pending" ]
bundle "$home/b"
apply 0
says "applied"
run 0 confirm "$token"
bundle "$home/b"
apply 0
says "already $(digest_of "$home/b") $generation"
holds 'nothing waits' [ ! -e "$FLEETWALL_HOST_STATE/pending" ]
finish
