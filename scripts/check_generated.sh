#!/bin/sh
# Fails unless the generated code is exactly what the generators write now. Works on a copy of the tree and
# compares both ways, so that a generated file whose source is gone is found too.
set -eu
bin=$(cd "$1" && pwd)
scripts=$(cd "$(dirname "$0")" && pwd)
tree=$(pwd)
copy=$(mktemp -d)
trap 'rm -rf "$copy"' EXIT

"$scripts/copy_tree.sh" "$copy"
(cd "$copy" && "$scripts/generate.sh" "$bin" code)

# generated lists the generated files of a tree.
generated() {
	(cd "$1" && find modules platform wire_gen \( -name '*.gen.go' -o -name wire_gen.go \) -type f 2>/dev/null | LC_ALL=C sort)
}

stale=0
for file in $(
	generated "$tree"
	generated "$copy"
); do
	if [ ! -f "$copy/$file" ]; then
		echo "orphan: $file: no source generates it any more"
		stale=1
	elif [ ! -f "$tree/$file" ]; then
		echo "missing: $file"
		stale=1
	elif ! cmp -s "$tree/$file" "$copy/$file"; then
		case " ${shown:-} " in *" $file "*) continue ;; esac
		shown="${shown:-} $file"
		echo "stale: $file"
		diff -u "$tree/$file" "$copy/$file" | head -n 40 || true
		stale=1
	fi
done
if [ $stale = 1 ]; then
	echo 'generated code is not fresh: run make generate' >&2
	exit 1
fi
