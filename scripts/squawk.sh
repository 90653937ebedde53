#!/bin/sh
# Reads the migrations with squawk, which knows what locks or breaks a live PostgreSQL. It comes from npm; where
# npm is not installed it is skipped, and says so.
#   squawk.sh BIN
set -eu
version=2.66.0
home=$1/squawk-$version

if ! command -v npm >/dev/null 2>&1; then
	echo 'squawk: skipped, npm is not installed'
	exit 0
fi
if [ ! -x "$home/node_modules/.bin/squawk" ]; then
	rm -rf "$home"
	mkdir -p "$home"
	npm install --prefix "$home" --no-save --no-audit --no-fund --loglevel=error "squawk-cli@$version"
fi

# Not for us: every migration runs once, in one transaction, with a lock timeout that its runner sets; and keys are
# uuids, so that no integer runs out: those that are left count within bounds of their own.
NO_COLOR=1 "$home/node_modules/.bin/squawk" --reporter=gcc --assume-in-transaction --pg-version=15.0 \
	--exclude=prefer-robust-stmts,require-lock-timeout,require-statement-timeout,prefer-bigint-over-int,prefer-bigint-over-smallint \
	sql/migrations/*/*.sql
