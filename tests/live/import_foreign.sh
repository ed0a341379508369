#!/bin/sh
# What other systems' tools say, imported: the AWS form of a fleet answers as its CSV does; every real source goes in, out and in again
# with the same bytes; what has no exact form is named and left out, and nothing is wider than it was. Fleets that are not there are skipped.
# long: questions of whole fleets.
set -u
. tests/live/lib/command.sh
fleets=../shared/fleets
skipped=0

skip() {
	echo "SKIP $*"
	skipped=$((skipped + 1))
}

run 0 init
conninfo=$("$FLEETWALL" database status | sed -n 's/^conninfo: //p')

# inventories NAME…: empty ones, each a database of the one server. at NAME: the next commands are of that one.
inventories() {
	for inventory; do
		printf 'DROP DATABASE IF EXISTS %s;\nCREATE DATABASE %s TEMPLATE fleetwall;\n' "$inventory" "$inventory"
	done >"$home/create"
	holds "inventories: $*" psql -Xq -v ON_ERROR_STOP=1 -d "$conninfo dbname=postgres" -f "$home/create"
}
at() {
	database="$conninfo dbname=$1"
}

# round_trip CODE KIND FILE…: in, out, in again elsewhere, out: the same bytes; and again where it was: nothing to do.
round_trip() {
	wanted=$1 kind=$2
	shift 2
	inventories one two
	at one
	run "$wanted" --database "$database" import --from "$kind" "$@"
	cp "$home/err" "$home/notes"
	run 0 --database "$database" export
	cp "$home/out" "$home/first.conf"
	run "$wanted" --database "$database" import --dry-run --from "$kind" "$@"
	empty "nothing to do" "$home/out"
	run "$wanted" --database "$database" import --from "$kind" "$@"
	says 'nothing to do'
	at two
	run 0 --database "$database" import "$home/first.conf"
	run 0 --database "$database" export
	cp "$home/out" "$home/second.conf"
	holds "the same bytes: $*" cmp "$home/first.conf" "$home/second.conf"
}

# ask NAME: the answers of that inventory to $home/questions: question and verdict.
ask() {
	at "$1"
	"$FLEETWALL" --database "$database" explain - <"$home/questions" 2>"$home/err" | cut -f 1-4 >"$home/answers.$1"
	holds "every question is answered by $1" test "$(wc -l <"$home/questions")" -eq "$(grep -c '^allow\|^deny' "$home/answers.$1")"
}

# --- the same policy as CSV and as AWS has it ---

# The fleet's own questions, and every machine with the same strangers and friends. One of fedora-infra's is not in its AWS form.
questions() {
	tr -d '\r' <"$1/queries.csv" | awk -F, 'NR > 1 {
		what = $5 == "" ? $4 : $5 "/" $4
		print $2 == "in" ? $3 " " $1 " " what : $1 " " $3 " " what
	}'
	jq -r '.Reservations[].Instances[].Tags[] | select(.Key == "Name") | .Value' "$1/aws/describe-instances.json" >"$home/machines"
	tr -d '\r' <"$1/addresses.csv" | awk -F, -v machines="$home/machines" 'NR % 97 == 2 { peers[++n] = $2 }
		END {
			peers[++n] = "198.51.100.7"; peers[++n] = "2001:db8::7"
			split("22/tcp 53/udp 443/tcp 5666/tcp icmpv4 icmpv6 vrrp", whats, " ")
			while ((getline line <machines) > 0) {
				for (i = 1; i <= n; i++) {
					what = whats[(++k) % 7 + 1]
					print peers[i] " " line " " what
					print line " " peers[i] " " what
				}
			}
		}'
}

# Groups without outbound permissions that the CSV has as open: their members, in AWS, are closed.
closed_in_aws_alone() {
	jq -r '.SecurityGroups[] | select(.IpPermissionsEgress == []) | .GroupName' "$1/aws/describe-security-groups.json" |
		tr '/' '.' | sort >"$home/aws-closed"
	tr -d '\r' <"$1/roles.csv" | awk -F, '$4 == "open" { print $1 }' | sort | comm -12 - "$home/aws-closed"
}

same_answers() {
	inventories csv aws
	for kind in csv aws; do
		at "$kind"
		if [ "$kind" = csv ]; then
			run 0 --database "$database" import --csv "$fleets/$1"
		else
			run 0 --database "$database" import --from aws "$fleets/$1"/aws/*.json
			empty "nothing of $1 was left out" "$home/err"
		fi
	done
	questions "$fleets/$1" >"$home/questions"
	holds "questions of $1" test "$(wc -l <"$home/questions")" -gt 3000
	ask csv
	ask aws
	tr -d '\r' <"$fleets/$1/queries.csv" | awk -F, 'NR > 1 { print $6 }' >"$home/verdicts"
	head -n "$(wc -l <"$home/verdicts")" "$home/answers.aws" | cut -f 1 | diff "$home/verdicts" - >"$home/differing"
	holds "the fleet's own verdicts of $1" test ! -s "$home/differing"
	paste "$home/answers.csv" "$home/answers.aws" | awk -F'\t' '$1 != $5' >"$home/differing"
}

for fleet in opendev fedora-infra; do
	if [ ! -r "$fleets/$fleet/aws" ]; then
		skip "$fleet: $fleets/$fleet is not there"
		continue
	fi
	same_answers "$fleet"
	echo "$fleet: $(wc -l <"$home/questions") questions, $(wc -l <"$home/differing") answers differ from the CSV's"
	# Only what leaves may differ, only to closed, and only where a machine's groups say nothing of what leaves.
	awk -F'\t' '!($1 == "allow" && $5 == "deny") || $2 ~ /^[0-9a-f.:]+$/' "$home/differing" >"$home/wider"
	holds "nothing of $fleet is wider, or differs inbound" test ! -s "$home/wider"
	if [ "$fleet" = opendev ]; then
		holds "all of opendev's verdicts are the same" test ! -s "$home/differing"
	else
		closed_in_aws_alone "$fleets/$fleet" >"$home/closed-roles"
		awk -F, 'NR == FNR { closed[$1]; next } { gsub(/\r/, "") } $1 in closed { print $2 }' "$home/closed-roles" \
			"$fleets/$fleet/members.csv" | sort -u >"$home/closed-machines"
		cut -f 2 "$home/differing" | sort -u | comm -23 - "$home/closed-machines" >"$home/others"
		holds "only machines of groups that AWS closes differ" test ! -s "$home/others"
	fi
done

# --- real sources ---

if [ -r "$fleets/aws-hybrid" ]; then
	round_trip 1 aws "$fleets"/aws-hybrid/*.json
	holds "one thing was left out" test "$(wc -l <"$home/notes")" -eq 1
	holds "by its id" grep -q 'security group sg-55510831, inbound tcp 3306: security group sg-cf3f86b3 ' "$home/notes"
else
	skip "aws-hybrid is not there"
fi
if [ -r "$fleets/aws-cloudmapper" ]; then
	round_trip 0 aws "$fleets"/aws-cloudmapper/*.json
	holds "what was made right" grep -q '"2.2.2.2/28" has host bits set' "$home/notes"
else
	skip "aws-cloudmapper is not there"
fi
for fleet in opendev fedora-infra; do
	if [ -r "$fleets/$fleet" ]; then
		round_trip 0 aws "$fleets/$fleet"/aws/*.json
		round_trip 0 ansible "$fleets/$fleet/ansible-inventory.list.json"
	else
		skip "$fleet is not there"
	fi
done

# --- what has no exact form: named, left out, never wider ---

cat >"$home/groups.json" <<'END'
{"SecurityGroups": [
  {"GroupId": "sg-1", "GroupName": "web", "VpcId": "vpc-1", "IpPermissions": [
    {"IpProtocol": "tcp", "FromPort": 443, "ToPort": 443, "IpRanges": [{"CidrIp": "0.0.0.0/0"}]},
    {"IpProtocol": "tcp", "FromPort": 22, "ToPort": 22, "UserIdGroupPairs": [{"GroupId": "sg-9", "UserId": "1"}]},
    {"IpProtocol": "tcp", "FromPort": 25, "ToPort": 25, "PrefixListIds": [{"PrefixListId": "pl-1"}]}],
   "IpPermissionsEgress": [{"IpProtocol": "-1", "IpRanges": [{"CidrIp": "0.0.0.0/0"}]}]},
  {"GroupId": "sg-2", "GroupName": "db", "VpcId": "vpc-1", "IpPermissions": [
    {"IpProtocol": "tcp", "FromPort": 3306, "ToPort": 3306, "UserIdGroupPairs": [{"GroupId": "sg-1"}]}],
   "IpPermissionsEgress": []},
  {"GroupId": "sg-3", "GroupName": "admin", "VpcId": "vpc-1", "IpPermissions": [
    {"IpProtocol": "-1", "IpRanges": [{"CidrIp": "0.0.0.0/0"}], "Ipv6Ranges": [{"CidrIpv6": "::/0"}]}],
   "IpPermissionsEgress": [{"IpProtocol": "-1", "IpRanges": [{"CidrIp": "0.0.0.0/0"}]}]}]}
END
cat >"$home/instances.json" <<'END'
{"Reservations": [{"Instances": [
  {"InstanceId": "i-1", "Tags": [{"Key": "Name", "Value": "Web 1"}], "NetworkInterfaces": [{"NetworkInterfaceId": "eni-1",
    "Groups": [{"GroupId": "sg-1"}], "PrivateIpAddresses": [{"PrivateIpAddress": "10.0.0.1", "Association": {"PublicIp": "192.0.2.1"}}],
    "Ipv6Addresses": [{"Ipv6Address": "2001:db8::1"}]}]},
  {"InstanceId": "i-2", "Tags": [{"Key": "Name", "Value": "db"}], "SecurityGroups": [{"GroupId": "sg-2"}],
    "PrivateIpAddress": "10.0.0.2", "Ipv6Address": "2001:db8::2"},
  {"InstanceId": "i-3", "NetworkInterfaces": [
    {"NetworkInterfaceId": "eni-3", "Groups": [{"GroupId": "sg-2"}], "PrivateIpAddress": "10.0.0.3"},
    {"NetworkInterfaceId": "eni-4", "Groups": [{"GroupId": "sg-2"}, {"GroupId": "sg-3"}], "PrivateIpAddress": "10.1.0.3"}]},
  {"InstanceId": "i-4", "NetworkInterfaces": [
    {"NetworkInterfaceId": "eni-5", "Groups": [{"GroupId": "sg-1"}], "PrivateIpAddress": "10.0.0.4"},
    {"NetworkInterfaceId": "eni-6", "Groups": [{"GroupId": "sg-3"}], "PrivateIpAddress": "10.1.0.4"}]}]}]}
END
cat >"$home/interfaces.json" <<'END'
{"NetworkInterfaces": [{"NetworkInterfaceId": "eni-9", "Groups": [{"GroupId": "sg-1"}], "PrivateIpAddress": "10.0.0.9",
  "Description": "ELB app/x", "Attachment": {"InstanceOwnerId": "amazon-elb"}}]}
END

inventories odd
at odd
run 1 --database "$database" import --dry-run --from aws "$home/interfaces.json" "$home/instances.json" "$home/groups.json"
says '+ machine web-1'
run 1 --database "$database" import --from aws "$home/interfaces.json" "$home/instances.json" "$home/groups.json"
says 'imported: '
for left in 'security group sg-1, inbound tcp 22: security group sg-9 (of account 1)' \
	'security group sg-1, inbound tcp 25: the addresses of prefix list pl-1' \
	'i-3: security group sg-3 is on interface eni-4 and not on eni-3' 'i-4: security group sg-1 is on' 'i-4: security group sg-3 is on'; do
	complains "$left"
done
holds "and nothing else" test "$(grep -c '^warning: ' "$home/err")" -eq 5

# verdict CODE SOURCE DESTINATION WHAT
verdict() {
	wanted=$1
	shift
	run "$wanted" --database "$database" explain "$@"
}
verdict 0 10.0.0.1 db 3306/tcp    # a member's own addresses
verdict 0 2001:db8::1 db 3306/tcp
verdict 0 10.0.0.9 db 3306/tcp    # a load balancer's
verdict 1 192.0.2.1 db 3306/tcp   # AWS does not take a public address for its group
verdict 1 10.0.0.4 db 3306/tcp    # a group that only one of two interfaces has
verdict 0 10.0.0.1 i-3 3306/tcp
verdict 1 203.0.113.7 i-3 80/tcp  # the group that is open is on the other interface
verdict 1 203.0.113.7 web-1 22/tcp
verdict 1 203.0.113.7 web-1 25/tcp
verdict 0 203.0.113.7 web-1 443/tcp
verdict 1 2001:db8:9::7 web-1 443/tcp
verdict 0 web-1 203.0.113.7 443/tcp
verdict 1 web-1 2001:db8:9::7 443/tcp
verdict 1 db 203.0.113.7 443/tcp
verdict 1 i-4 203.0.113.7 443/tcp # all its groups were left out: closed
verdict 1 203.0.113.7 i-4 443/tcp
run 1 --database "$database" --json import --from aws "$home/interfaces.json" "$home/instances.json" "$home/groups.json"
json '.warnings | length == 5 and all(.[]; .message | startswith("left out: "))'

# --- usage ---

run 2 --database "$database" import --from awz "$home/groups.json"
complains 'did you mean --from aws?'
run 2 --database "$database" import --from aws
complains '--from aws needs files'
run 2 --database "$database" import --from ansible "$home/groups.json" "$home/groups.json"
complains '--from ansible needs one file'
run 2 --database "$database" import --from ansible "$home/groups.json"
complains 'ansible-inventory --list'
run 2 --database "$database" import --from aws --address-variable x "$home/groups.json"
run 2 --database "$database" import --address-variable x "$home/groups.json"
run 2 --database "$database" import --from aws --csv "$home" "$home/groups.json"
run 2 --database "$database" import --from aws "$home/groups.json" "$home/none.json"
complains 'none.json'
printf '{"SecurityGroups": [\n  ,\n' >"$home/broken.json"
run 2 --database "$database" import --from aws "$home/broken.json" "$home/groups.json"
complains "$home/broken.json:2:3: this is no JSON"

# --- Ansible's words ---

cat >"$home/list.json" <<'END'
{"_meta": {"hostvars": {"db_1": {"ansible_host": "10.0.0.5", "ansible_port": 2222, "net": {"__ansible_vault": "x"}},
  "web": {"ansible_host": "web.example.com", "net": ["192.0.2.5", "2001:db8::5/64"]}}},
 "all": {"children": ["ungrouped", "prod"]}, "prod": {"children": ["db", "web_servers"]}, "db": {"hosts": ["db_1"]},
 "web_servers": {"hosts": ["web"]}}
END
input=$home/list.json run 1 --database "$database" import --from ansible --address-variable net -
complains 'host "db_1": net: it is encrypted'
run 0 --database "$database" query machines --role prod
says 'db-1'
says 'web'
run 0 --database "$database" export
says 'ansible-name = "db_1"'
says 'addresses = [ "192.0.2.5", "2001:db8::5" ]'
says 'addresses = [ "10.0.0.5" ]'
says 'ssh_host = "web.example.com"'
says 'ssh_port = 2222'

if [ "$skipped" -gt 0 ] && [ "$failed" -eq 0 ]; then
	"$FLEETWALL" database stop >/dev/null 2>&1
	echo "$passed passed, 0 failed, $skipped skipped"
	exit 0
fi
finish
