#!/bin/sh
# A short soak, always the same edits: incremental runs make what full runs make. `make soak` goes on for longer, and elsewhere.
set -u
SOAK_SECONDS=${SOAK_SECONDS:-5} SOAK_SEED=${SOAK_SEED:-20260501}
export SOAK_SECONDS SOAK_SEED
exec tests/soak/incremental.sh
