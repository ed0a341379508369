#!/bin/sh
# Golden files: run.sh compares what is made now with what stands here; run.sh --update writes it anew. FLEETWALL is the program whose build
# folder's test program does it.
set -eu
cd "$(dirname "$0")/../.."
exec "$(dirname "${FLEETWALL:-${BUILD:-build}/fleetwall}")/tests/check_ruleset_golden" "$@"
