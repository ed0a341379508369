#!/bin/sh
# Writes the C file with the files of a folder built in: embed.sh FOLDER (sql, templates, or push: its scripts); or, embed.sh build, one with
# the digest of the sources that the bytes of rulesets and proofs depend on, so that two programs know each other. The table is sorted by name,
# names are paths below the folder; hidden files and editors' backups are left out. Each array has a 0 behind the
# data, not counted, because C has no empty arrays.
set -eu
export LC_ALL=C
folder=$1
if [ "$folder" = build ]; then
	digest=$(cat base/*.[ch] inventory/*.[ch] gen/*.[ch] analysis/*.[ch] include/fleetwall/*.h sql/queries/*.sql templates/*.mustache | sha256sum)
	printf '/* Made by base/embed.sh. */\n#include "fleetwall/embedded.h"\n\nconst char embedded_build[] = "%s";\n' "${digest%% *}"
	exit
fi
cd "$folder"
files=$(find . -type f ! -name '.*' ! -name '*~' ! -name '*.[ch]' | sed 's|^\./||' | sort)

printf '/* Made by base/embed.sh from %s/. */\n#include "fleetwall/embedded.h"\n' "$folder"
number=0
for file in $files; do
	printf '\nstatic const unsigned char file_%d[] = { /* %s */\n' "$number" "$file"
	od -An -v -tu1 "$file" | sed 's/ *\([0-9][0-9]*\)/\1,/g'
	printf '0};\n'
	number=$((number + 1))
done
printf '\nconst struct embedded embedded_%s[] = {\n' "$folder"
number=0
for file in $files; do
	printf '\t{"%s", file_%d, sizeof file_%d - 1},\n' "$file" "$number" "$number"
	number=$((number + 1))
done
printf '\t{NULL, NULL, 0},\n};\n'
