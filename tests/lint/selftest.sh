#!/bin/sh
# The lints must be able to fail: each fault is planted in a small tree of its own, and the lint that owns it has to find it there.
set -u
here=$(cd "$(dirname "$0")" && pwd)
tree=$(mktemp -d) || exit 3
trap 'rm -rf "$tree"' EXIT
passed=0 failed=0

clean_tree() {
	rm -rf "${tree:?}"/*
	mkdir -p "$tree/include/fleetwall" "$tree/packaging/man" "$tree/base" "$tree/gen" "$tree/inventory" "$tree/cli" "$tree/tests"
	printf '/* A string. */\nint f(void);\n' >"$tree/include/fleetwall/str.h"
	printf '/* The model. */\n#include "fleetwall/str.h"\n' >"$tree/include/fleetwall/fleet.h"
	cat >"$tree/gen/a.c" <<'END'
/* A file of gen/; says "open(" and printf( in a comment, and fork(): those do not count. */
#include "fleetwall/fleet.h"

int f(void)
{
	return reopen(1) + g("printf(\"x\") /* free(x) */"); /* malloc( */
}
END
}

# expect LINT WORDS: the lint fails and says these words
expect() {
	if output=$(LINT_ROOT=$tree "$here/$1.sh" 2>&1); then
		echo "$1 does not see: $2"
		failed=$((failed + 1))
	elif ! printf '%s\n' "$output" | grep -qF -e "$2"; then
		printf '%s: "%s" is not in:\n%s\n' "$1" "$2" "$output"
		failed=$((failed + 1))
	else
		passed=$((passed + 1))
	fi
	clean_tree
}

# plant FILE LINE
plant() {
	printf '%s\n' "$2" >>"$tree/$1"
}

clean_tree
for lint in walls style shell; do
	if output=$(LINT_ROOT=$tree "$here/$lint.sh" 2>&1); then
		passed=$((passed + 1))
	else
		printf '%s: a clean tree is said to have faults:\n%s\n' "$lint" "$output"
		failed=$((failed + 1))
	fi
done

plant gen/a.c '#include "fleetwall/db.h"' && expect walls 'gen may not use fleetwall/db.h'
plant gen/a.c '#include "fleetwall/inventory.h"' && expect walls "gen may not use fleetwall/inventory.h"
plant gen/a.c '#include "fleetwall/new.h"' && expect walls 'has no owner'
plant gen/a.c '#include "../db/private.h"' && expect walls 'reaches into another room'
plant gen/a.c '#include "private.h"' && expect walls 'is not a header of gen'
plant gen/a.c '#include <libpq-fe.h>' && expect walls '<libpq-fe.h> is not for this file'
plant cli/b.c '#include <libconfig.h>' && expect walls '<libconfig.h> is not for this file'
plant gen/a.c '#include <jansson.h>' && expect walls '<jansson.h> is not for this file'
plant include/fleetwall/str.h '#include "fleetwall/fleet.h"' && expect walls 'base may not use fleetwall/fleet.h'
plant cli/b.c '	if (fork() == 0)' && expect walls 'only base/process spawns'
plant cli/b.c '	system("ls");' && expect walls 'only base/process spawns'
plant cli/b.c '	p = malloc(3);' && expect walls 'memory comes from arenas'
plant cli/b.c '	free(p);' && expect walls 'memory comes from arenas'
plant gen/a.c '	x = getenv("HOME");' && expect walls 'does not touch the world'
plant gen/a.c '	now = time(NULL);' && expect walls 'does not touch the world'
plant gen/a.c '	printf("x");' && expect walls 'does not touch the world'
plant base/c.c 'int x;' && expect style 'does not open with a comment'
plant gen/a.c '    int x;' && expect style 'indented with blanks'
plant gen/a.c 'int x; ' && expect style 'blanks at the end'
plant gen/a.c "/* TO""DO: this */" && expect style 'left to do'
plant gen/a.c "/* $(printf '%0120d' 0) */" && expect style 'longer than 120 columns'
plant gen/a.c "$(printf '\t\t\t\t\t\t\t\t\t\t\t\t\t\t\tx')" && expect style 'longer than 120 columns'
plant gen/a.c "$(printf '{\n'; yes '	f();' | head -n 110; printf '}\n')" && expect style 'more than 110'
plant gen/a.c "$(yes '' | head -n 600)int x;" && plant gen/a.c "$(yes 'int x;' | head -n 600)" && expect style 'more than 600'
plant packaging/man/a.1 "$(printf '.Bd -literal\n%076d\n.Ed' 0)" && expect style 'a.1:2: shown in more than 80'
plant packaging/man/a.1 "$(printf '.Bd -literal -offset indent\n%069d\n%070d\n.Ed' 0 0)" && expect style 'a.1:3: shown in more than 80'
plant tests/s.sh "$(printf '#!/bin/sh\nfor f in %s; do echo; done' '$(ls)')" && expect shell 'SC2045'
plant tests/s.sh '#!/bin/bash' && expect shell 'want bash'
plant tests/l.sh "$(printf '# shellcheck shell=sh\nfor f in %s; do echo; done' '$(ls)')" && expect shell 'tests/l.sh line 2'
plant tests/l.sh "$(printf '# shellcheck shell=sh\nhome=/tmp')" && plant tests/s.sh "$(printf '#!/bin/sh\n. tests/l.sh\necho "$home" "$hone"')" &&
	expect shell 'hone is referenced but not assigned'

echo "$passed passed, $failed failed, 0 skipped"
[ "$failed" -eq 0 ]
