#!/bin/sh
# Sees to it that there is a C compiler: sqlc parses SQL with PostgreSQL's own parser, which is C.
# Prints and installs it where that can be done without asking, as root on a machine with apt-get.
set -eu

works() {
	compiler=$(go env CC)
	dir=$(mktemp -d)
	printf '#include <stdio.h>\nint main(void) { return 0; }\n' >"$dir/main.c"
	status=0
	$compiler -o "$dir/main" "$dir/main.c" >/dev/null 2>&1 || status=1
	rm -rf "$dir"
	return $status
}

if works; then
	exit 0
fi
if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1; then
	echo 'A C compiler is missing; installing it: apt-get install -y --no-install-recommends gcc libc6-dev'
	apt-get update -q
	DEBIAN_FRONTEND=noninteractive apt-get install -q -y --no-install-recommends gcc libc6-dev
	if works; then
		exit 0
	fi
fi
cat >&2 <<'END'
A C compiler is missing. The query generator (sqlc) needs one to be built; running and testing Insula does not.
  Debian, Ubuntu: apt-get install gcc libc6-dev
  Fedora:         dnf install gcc
  Alpine:         apk add gcc musl-dev
  macOS:          xcode-select --install
END
exit 1
