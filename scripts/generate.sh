#!/bin/sh
# Makes generated files anew, in the tree that is the working directory.
#   generate.sh BIN code     what sqlc and Wire write; old files go first, so that none outlives its source
#   generate.sh BIN docs     the OpenAPI document and the reference pages, which insula itself prints
set -eu
bin=$(cd "$1" && pwd)

# The modules of the tree alone: no workspace around it, no change to go.mod.
export GOWORK=off GOFLAGS="${GOFLAGS:+$GOFLAGS }-mod=readonly"

# document FILE ARGS... writes what insula prints, or leaves the file alone when it fails.
document() {
	file=$1
	shift
	"$bin/insula" "$@" >"$file.new" || { rm -f "$file.new"; exit 1; }
	mv "$file.new" "$file"
}

case $2 in
code)
	for dir in modules platform; do
		if [ -d "$dir" ]; then find "$dir" -name '*.gen.go' -exec rm {} +; fi
	done
	"$bin/sqlc" generate
	"$bin/wire" gen ./wire_gen
	;;
docs)
	go build -o "$bin/insula" ./cmd/insula
	mkdir -p docs
	document docs/openapi.yaml openapi
	document docs/permissions.md permissions
	document docs/settings.md settings
	document docs/configuration.md config --markdown
	;;
*)
	echo "usage: $0 BIN code|docs" >&2
	exit 2
	;;
esac
