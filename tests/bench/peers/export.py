#!/usr/bin/python3
"""Makes what another tool reads from the inventory as one JSON document (inventory.sql):
    export.py jinja2 INVENTORY FOLDER           FOLDER/fleet.json
    export.py ferm INVENTORY FOLDER MACHINES    FOLDER/NAME.ferm, for so many machines, evenly spread
    export.py capirca INVENTORY FOLDER MACHINES FOLDER/pol/NAME.pol, FOLDER/def/*.net and *.svc
Rules whose time has not come or is over are left out. None of this is timed."""

import hashlib
import json
import os
import re
import sys

STAGES = ("deny", "reject", "allow")


def set_name(rule, text):
    """As fleetwall names it (without the family): 12 characters, and 12 digits of a digest."""
    word = re.sub("^[a-z]*:", "", text.split("/")[0]) if ":" in text else "list"
    kind = "allow" if rule["action"] == "allow" else "deny"
    return word[:12] + "-" + hashlib.sha256((kind + "\0" + text).encode()).hexdigest()[:12]


def has_family(literals, family):
    return any((":" in literal) == (family == "6") for literal in literals)


class Fleet:
    def __init__(self, path):
        with open(path, encoding="utf-8") as file:
            data = json.load(file)
        self.unused = set(data["unused"] or [])
        self.disabled = set(data["disabled"] or [])
        self.closed = set(data["closed"] or [])
        self.roles = {}  # of a machine
        self.members = {}  # of a role
        for role, machine in data["members"]:
            self.members.setdefault(role, []).append(machine)
            if machine not in self.unused:
                self.roles.setdefault(machine, []).append(role)
        self.addresses = {}
        for machine, address, label in data["addresses"]:
            self.addresses.setdefault(machine, []).append((address, label))
        self.networks = {}
        for network, prefix in data["networks"]:
            self.networks.setdefault(network, []).append(prefix)
        self.services = {}
        for service, protocol, ports in data["services"]:
            self.services.setdefault(service, []).append((protocol, ports))
        self.rules = {}  # of a role
        for rule in data["rules"]:
            self.rules.setdefault(rule["role"], []).append(rule)

    def some(self, count):
        """So many machines, evenly spread over the fleet."""
        names = sorted(self.roles)
        return [names[i * len(names) // count] for i in range(min(count, len(names)))]

    def whats(self, rule):
        """(protocol, ports or None) of a rule; a service can be several."""
        if rule["what"] == "service":
            return self.services[rule["service"]]
        if rule["what"] == "ports":
            return [(rule["protocol"], rule["ports"])]
        if rule["what"] == "protocol":
            return [(rule["protocol"], None)]
        return [("icmp" if rule["what"].startswith("icmp") else None, None)]

    def peers(self, rule):
        """(kind, text, name, label) of a rule; literals together are one."""
        literals = [p["literal"] for p in rule["peers"] or [] if p["kind"] == "literal"]
        if literals:
            yield "literal", ", ".join(literals), literals, None
        for peer in rule["peers"] or []:
            if peer["kind"] == "self":
                yield "role", "role:" + rule["role"], rule["role"], None
            elif peer["kind"] != "literal":
                label = "/" + peer["label"] if peer["label"] else ""
                yield peer["kind"], peer["kind"] + ":" + peer["name"] + label, peer["name"], peer["label"]

    def content(self, kind, name, label):
        """The addresses and prefixes that a peer of an allow rule stands for."""
        if kind == "literal":
            return name
        if kind == "network":
            return self.networks.get(name, [])
        machines = [name] if kind == "machine" else self.members.get(name, [])
        return [a for m in machines if m not in self.disabled for a, l in self.addresses.get(m, ()) if label in (None, l)]


# --- Jinja2: a document with the matches of each rule ready to be written, sets by name, without their contents ---

TARGET = {"allow": "ACCEPT", "deny": "DROP", "reject": "REJECT"}


def jinja_what(family, protocol, ports):
    if protocol == "icmp":
        return " -p icmp -m icmp --icmp-type 8" if family == "4" else " -p ipv6-icmp -m icmp6 --icmpv6-type 128"
    if ports:
        many = "-m multiport --dports " if "," in ports else "-m %s --dport " % protocol
        return " -p %s %s%s" % (protocol, many, ports.replace("-", ":"))
    return " -p " + protocol if protocol else ""


def jinja_peers(fleet, family, rule, end):
    """(before the protocol, behind it) for each peer of a rule that the family has."""
    for kind, text, name, _ in fleet.peers(rule):
        if kind == "literal" and not has_family(name, family):
            continue
        if kind == "literal" and len(name) == 1:
            yield (" -s " if end == "src" else " -d ") + name[0], ""
        else:
            yield "", " -m set --match-set fw%s-%s %s" % (family, set_name(rule, text), end)
    if not rule["peers"]:
        yield "", ""


def jinja_rules(fleet, family, rule):
    outward = rule["direction"] == "to"
    for before, behind in jinja_peers(fleet, family, rule, "dst" if outward else "src"):
        for protocol, ports in fleet.whats(rule):
            match = before + jinja_what(family, protocol, ports) + behind
            if rule["interface"]:
                match = (" -o " if outward else " -i ") + rule["interface"] + match
            if rule["limit"]:
                match += " -m hashlimit --hashlimit-upto %s --hashlimit-mode srcip --hashlimit-name %s" % (
                    rule["limit"],
                    rule["id"],
                )
            for target in (["LOG"] if rule["log"] else []) + [TARGET[rule["action"]]]:
                yield {"match": match, "role": rule["role"], "id": rule["id"], "target": target}


def jinja_role(fleet, rules):
    return {
        family: {
            stage: {
                direction: [
                    line
                    for rule in rules
                    if (rule["action"], rule["direction"]) == (stage, direction)
                    for line in jinja_rules(fleet, family, rule)
                ]
                for direction in ("from", "to")
            }
            for stage in STAGES
        }
        for family in ("4", "6")
    }


def export_jinja2(fleet, folder):
    document = {
        "roles": {role: jinja_role(fleet, fleet.rules.get(role, ())) for role in fleet.members},
        "closed": sorted(fleet.closed),
        "machines": [{"name": name, "roles": sorted(roles)} for name, roles in sorted(fleet.roles.items())],
    }
    with open(os.path.join(folder, "fleet.json"), "w", encoding="utf-8") as file:
        json.dump(document, file)


# --- ferm: one file a machine; sets are named in it, as ferm can, and their contents are left out ---

FERM_HEAD = {
    "4": "proto icmp icmp-type fragmentation-needed ACCEPT; mod conntrack ctstate (RELATED ESTABLISHED) ACCEPT; "
    "mod conntrack ctstate INVALID DROP; proto udp sport 67 dport 68 ACCEPT;",
    "6": "proto icmpv6 icmpv6-type (1 2 3 4) ACCEPT; mod conntrack ctstate (RELATED ESTABLISHED) ACCEPT; "
    "proto icmpv6 icmpv6-type (130 131 132 133 134 135 136 137 143) ACCEPT; mod conntrack ctstate INVALID DROP; "
    "saddr fe80::/10 proto udp sport 547 dport 546 ACCEPT;",
}


def ferm_what(family, protocol, ports):
    if protocol == "icmp":
        return "proto icmp icmp-type 8 " if family == "4" else "proto icmpv6 icmpv6-type 128 "
    if ports:
        many = "mod multiport destination-ports (%s) " if "," in ports else "dport %s "
        return "proto %s " % protocol + many % ports.replace("-", ":").replace(",", " ")
    return "proto " + protocol + " " if protocol else ""


def ferm_peers(fleet, family, rule, end):
    """The matches for the peers of a rule, in one family."""
    for kind, text, name, _ in fleet.peers(rule):
        if kind == "literal" and not has_family(name, family):
            continue
        if kind == "literal" and len(name) == 1:
            yield ("saddr " if end == "src" else "daddr ") + name[0] + " "
        else:
            yield "mod set match-set fw%s-%s %s " % (family, set_name(rule, text), end)
    if not rule["peers"]:
        yield ""


def ferm_rules(fleet, family, rule):
    outward = rule["direction"] == "to"
    tail = 'mod comment comment "%s %s" ' % (rule["role"], rule["id"])
    if rule["limit"]:
        tail += "mod hashlimit hashlimit %s hashlimit-mode srcip hashlimit-name %s " % (rule["limit"], rule["id"])
    tail += "{ LOG; %s; }" % TARGET[rule["action"]] if rule["log"] else TARGET[rule["action"]] + ";"
    if rule["interface"]:
        tail = ("outerface " if outward else "interface ") + rule["interface"] + " " + tail
    for peer in ferm_peers(fleet, family, rule, "dst" if outward else "src"):
        for protocol, ports in fleet.whats(rule):
            yield "    " + ferm_what(family, protocol, ports) + peer + tail + "\n"


def ferm_chain(fleet, family, machine, direction):
    rules = [rule for role in fleet.roles[machine] for rule in fleet.rules.get(role, ()) if rule["direction"] == direction]
    return "".join(
        line for stage in STAGES for rule in rules if rule["action"] == stage for line in ferm_rules(fleet, family, rule)
    )


def export_ferm(fleet, folder, count):
    for machine in fleet.some(count):
        closed = any(role in fleet.closed for role in fleet.roles[machine])
        with open(os.path.join(folder, machine + ".ferm"), "w", encoding="utf-8") as file:
            for family, domain in (("4", "ip"), ("6", "ip6")):
                file.write("domain %s table filter {\n  chain FORWARD policy DROP;\n  chain INPUT {\n" % domain)
                file.write("    policy DROP;\n    interface lo ACCEPT;\n    %s\n" % FERM_HEAD[family])
                file.write(ferm_chain(fleet, family, machine, "from"))
                file.write('    mod limit limit 6/min LOG log-prefix "fleetwall default: ";\n  }\n')
                file.write("  chain OUTPUT {\n    policy %s;\n    outerface lo ACCEPT;\n" % ("DROP" if closed else "ACCEPT"))
                file.write("    mod conntrack ctstate (RELATED ESTABLISHED) ACCEPT;\n")
                file.write(ferm_chain(fleet, family, machine, "to") + "  }\n}\n")


# --- Capirca: one policy a machine for its target with ipsets, peers as network objects; both families ---


class Capirca:
    """The definitions that policies use, made as they are named."""

    def __init__(self, fleet):
        self.fleet, self.networks, self.services = fleet, {}, {}

    def network(self, kind, text, name, label):
        token = "N" + hashlib.sha256(text.encode()).hexdigest()[:12].upper()
        if token not in self.networks:
            self.networks[token] = self.fleet.content(kind, name, label)
        return token if self.networks[token] else None

    def service(self, protocol, ports):
        token = re.sub("[^A-Z0-9]", "_", "P_" + ports.upper() + "_" + protocol.upper())
        self.services[token] = " ".join(port + "/" + protocol for port in ports.split(","))
        return token

    def term(self, name, rule, protocol, ports, family):
        outward = rule["direction"] == "to"
        tokens = [self.network(*peer) for peer in self.fleet.peers(rule)]
        lines = ['  comment:: "%s %s"' % (rule["role"], rule["id"])]
        if rule["peers"]:
            tokens = [token for token in tokens if token]
            if not tokens:
                return ""
            lines.append("  %s-address:: %s" % ("destination" if outward else "source", " ".join(tokens)))
        if protocol == "icmp":
            lines += ["  protocol:: " + ("icmp" if family == "inet" else "icmpv6"), "  icmp-type:: echo-request"]
        elif protocol:
            lines.append("  protocol:: " + protocol)
        if ports:
            lines.append("  destination-port:: " + self.service(protocol, ports))
        if rule["interface"]:
            lines.append("  %s-interface:: %s" % ("destination" if outward else "source", rule["interface"]))
        if rule["log"]:
            lines.append("  logging:: syslog")
        lines.append("  action:: " + {"allow": "accept", "deny": "deny", "reject": "reject"}[rule["action"]])
        return "term %s {\n%s\n}\n" % (name, "\n".join(lines))

    def chain(self, machine, family, direction):
        terms, number = [], 0
        for stage in STAGES:
            for role in self.fleet.roles[machine]:
                for rule in self.fleet.rules.get(role, ()):
                    if rule["action"] != stage or rule["direction"] != direction:
                        continue
                    for protocol, ports in self.fleet.whats(rule):
                        number += 1
                        terms.append(self.term("r%d-%s" % (number, rule["id"]), rule, protocol, ports, family))
        return "".join(terms)

    def policy(self, machine):
        closed = any(role in self.fleet.closed for role in self.fleet.roles[machine])
        for family in "inet", "inet6":
            yield "header {\n  target:: ipset INPUT DROP %s\n}\n" % family
            yield "term established { protocol:: tcp udp\n  option:: established\n  action:: accept\n}\n"
            yield self.chain(machine, family, "from")
            yield "term default { logging:: syslog\n  action:: deny\n}\n"
            yield "header {\n  target:: ipset OUTPUT %s %s\n}\n" % ("DROP" if closed else "ACCEPT", family)
            yield "term established { protocol:: tcp udp\n  option:: established\n  action:: accept\n}\n"
            yield self.chain(machine, family, "to")
            if not closed:
                yield "term default { action:: accept\n}\n"


def export_capirca(fleet, folder, count):
    capirca = Capirca(fleet)
    for name in "pol", "def":
        os.makedirs(os.path.join(folder, name), exist_ok=True)
    for machine in fleet.some(count):
        with open(os.path.join(folder, "pol", machine + ".pol"), "w", encoding="utf-8") as file:
            file.writelines(capirca.policy(machine))
    with open(os.path.join(folder, "def", "fleet.net"), "w", encoding="utf-8") as file:
        for token, prefixes in capirca.networks.items():
            if prefixes:
                file.write(token + " = " + "\n  ".join(prefixes) + "\n")
    with open(os.path.join(folder, "def", "fleet.svc"), "w", encoding="utf-8") as file:
        for token, ports in capirca.services.items():
            file.write(token + " = " + ports + "\n")


def main():
    tool, inventory, folder = sys.argv[1:4]
    fleet = Fleet(inventory)
    os.makedirs(folder, exist_ok=True)
    if tool == "jinja2":
        export_jinja2(fleet, folder)
    elif tool == "ferm":
        export_ferm(fleet, folder, int(sys.argv[4]))
    else:
        export_capirca(fleet, folder, int(sys.argv[4]))


if __name__ == "__main__":
    main()
