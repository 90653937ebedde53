#!/bin/sh
# Copies the tree that is the working directory, as it would be committed: tracked and new files, nothing ignored.
#   copy_tree.sh TARGET
set -eu
list=$(mktemp)
trap 'rm -f "$list"' EXIT
git -c safe.directory='*' ls-files --cached --others --exclude-standard | LC_ALL=C sort -u >"$list"
while IFS= read -r file; do
	if [ -e "$file" ]; then printf '%s\n' "$file"; fi # one that is deleted but not yet committed is not there
done <"$list" | tar -cf - -T - | tar -xf - -C "$1"
