#!/bin/sh
# Fails unless the OpenAPI document and the reference pages are what insula prints now.
set -eu
bin=$(cd "$1" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

go build -o "$bin/insula" ./cmd/insula
stale=0

# fresh FILE ARGS... compares a document with what insula prints.
fresh() {
	file=$1
	shift
	"$bin/insula" "$@" >"$work/now"
	if ! diff -u "$file" "$work/now" >"$work/diff" 2>&1; then
		echo "stale: $file"
		head -n 40 "$work/diff"
		stale=1
	fi
}

fresh docs/openapi.yaml openapi
fresh docs/permissions.md permissions
fresh docs/settings.md settings
fresh docs/configuration.md config --markdown
if [ $stale = 1 ]; then
	echo 'reference documents are not fresh: run make generate' >&2
	exit 1
fi
