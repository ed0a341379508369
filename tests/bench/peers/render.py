#!/usr/bin/python3
"""What a site does that has Jinja2 and no more: reads the fleet (export.py jinja2), and renders rules.j2 twice for each
machine into FOLDER/NAME/rules.v4 and rules.v6. The template is compiled once.
    render.py FLEET.json FOLDER"""

import json
import os
import sys

import jinja2


def main():
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(os.path.dirname(os.path.abspath(__file__))), keep_trailing_newline=True
    )
    template = environment.get_template("rules.j2")
    with open(sys.argv[1], encoding="utf-8") as file:
        fleet = json.load(file)
    closed = set(fleet["closed"])
    for machine in fleet["machines"]:
        folder = os.path.join(sys.argv[2], machine["name"])
        os.makedirs(folder)
        roles = [fleet["roles"][role] for role in machine["roles"]]
        for family in "4", "6":
            text = template.render(
                family=family, roles=roles, closed=any(role in closed for role in machine["roles"])
            )
            with open(os.path.join(folder, "rules.v%s" % family), "w", encoding="utf-8") as file:
                file.write(text)


if __name__ == "__main__":
    main()
