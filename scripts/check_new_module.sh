#!/usr/bin/env bash
# Proves that `make new-module` keeps its promises. In a throw-away copy of the tree it writes a module; the house with
# it must build, be in order and pass its tests, and three files that were there before may have changed by hand's work.
#   check_new_module.sh BIN [NAME NOUN]
# A word of which sqlc gets the singular wrong is as good as any: archives.
set -euo pipefail

bin=$(cd "$1" && pwd)
name=${2:-archives}
noun=${3:-archive}
scripts=$(cd "$(dirname "$0")" && pwd)
copy=$(mktemp -d)
trap 'rm -rf "$copy"' EXIT

fail() {
	echo "FAILED: $*" >&2
	exit 1
}

"$scripts/copy_tree.sh" "$copy"
cd "$copy"
mkdir .bin
for tool in "$bin"/.gen-* "$bin"/.lint-* "$bin"/sqlc "$bin"/wire "$bin"/golangci-lint "$bin"/squawk-*; do
	if [ -e "$tool" ]; then ln -s "$tool" .bin/; fi
done
git init -q
git add -A
commit() { git -c user.name=check -c user.email=check@localhost commit -q -m "$1"; }
commit 'The tree before there is a new module'

echo '== nothing is written by a dry run, over changes that are not committed, or under names that do not fit'
make -s new-module NAME="$name" NOUN="$noun" ARGS=-dry-run >/dev/null
echo '# changed' >>sqlc.yaml
if make -s new-module NAME="$name" NOUN="$noun" >/dev/null 2>&1; then fail 'a changed file was written over'; fi
git checkout -q sqlc.yaml
for names in 'Invoices invoice' 'invoices invoices' 'users user' 'ranges range' 'invoices bill' ' '; do
	if make -s new-module NAME="${names% *}" NOUN="${names#* }" >/dev/null 2>&1; then fail "accepted: $names"; fi
done
if [ -n "$(git status --porcelain)" ]; then fail "something was written: $(git status --porcelain)"; fi

echo "== make new-module NAME=$name NOUN=$noun"
make -s new-module NAME="$name" NOUN="$noun"

echo '== what has changed'
git add -A -N
changed=$(git diff --name-only --diff-filter=M | LC_ALL=C sort)
expected=$(printf '%s\n' docs/openapi.yaml docs/permissions.md sql/migrations/tenant/atlas.sum sqlc.yaml wire_gen/modules.go \
	wire_gen/testdata/routes.golden wire_gen/wire.go wire_gen/wire_gen.go)
if [ "$changed" != "$expected" ]; then
	fail "these files changed (>) and these should (<):
$(diff <(echo "$expected") <(echo "$changed"))"
fi
strange=$(git diff --name-only --diff-filter=M --diff-filter=A | grep -vxF "$expected" |
	grep -vE "^(modules/$name/.*|schema/tenant/$name\.sql|sql/queries/$name/$name\.sql|(wire_gen|e2e)/${name}_test\.go|sql/migrations/tenant/[0-9]{14}_add_$name\.sql)$" || true)
if [ -n "$strange" ]; then fail "these files are new and belong to no module: $strange"; fi
removed=$(git diff --numstat -- sqlc.yaml wire_gen/wire.go wire_gen/modules.go | awk '$2 > 0')
if [ -n "$removed" ]; then fail "lines were taken out, not only added: $removed"; fi
if [ -n "$(gofmt -l "modules/$name" "wire_gen/${name}_test.go" "e2e/${name}_test.go")" ]; then fail 'not gofmt'\''ed'; fi

echo '== it builds and is in order'
go build ./...
go vet "./modules/$name/..." ./wire_gen ./e2e
git add -A && commit 'The new module'
make verify

echo '== its tests, those of the plan and those of the whole house'
go test "./modules/$name/..." ./platform/archtest ./wire_gen
if make -s new-module NAME="$name" NOUN="$noun" >/dev/null 2>&1; then fail 'the same module was written twice'; fi
echo "== a new module stands: $name"
