package main

import (
	"bytes"
	"fmt"
	"io"
	"strings"
)

// print shows every file that would be written, and the list of them last,
// where it is seen.
func (p plan) print(out io.Writer) {
	for _, f := range append(p.added, p.changed...) {
		fmt.Fprintf(out, "== %s\n%s\n", f.path, f.text)
	}
	fmt.Fprintln(out, "== new")
	for _, f := range p.added {
		fmt.Fprintf(out, "%5d lines  %s\n", bytes.Count(f.text, []byte("\n")), f.path)
	}
	fmt.Fprintln(out, "== changed")
	for _, f := range p.changed {
		fmt.Fprintf(out, "             %s\n", f.path)
	}
}

// own are the files and folders that the module alone has, as arguments of a
// command.
func (p plan) own() string {
	return fmt.Sprintf("modules/%[1]s schema/tenant/%[1]s.sql sql/queries/%[1]s wire_gen/%[1]s_test.go e2e/%[1]s_test.go", p.Name)
}

// undo says how to be rid of everything that was written.
func (p plan) undo() string {
	return fmt.Sprintf("What was written so far can be taken back with\n  git restore %s\n  git clean -fd %s sql/migrations",
		strings.Join(touched, " "), p.own())
}

// next says what was done and what is left to do.
func (p plan) next() string {
	return p.filled(`
«.A» «.Noun» has a name, notes and a version, and can be added, seen, listed, changed and deleted.

New:        modules/«.Name»/  schema/tenant/«.Name».sql  sql/queries/«.Name»/  wire_gen/«.Name»_test.go  e2e/«.Name»_test.go
Changed:    sqlc.yaml  wire_gen/wire.go  wire_gen/modules.go
Generated:  sql/migrations/tenant/  wire_gen/wire_gen.go  docs/openapi.yaml  docs/permissions.md  wire_gen/testdata/routes.golden

Next:
  1. make test PKGS='./modules/«.Name»/... ./platform/archtest ./wire_gen'
     All pass now: commit, so that your own changes show.
  2. Make it yours. From the table upwards: schema/tenant/«.Name».sql, sql/queries/«.Name»/, then domain, infra, service, api of
     modules/«.Name»/. As long as the migration has not left this checkout, write it anew rather than adding a second one:
       rm sql/migrations/tenant/*_add_«.Name».sql && .bin/schema hash
       make new-migration SCOPE=tenant NAME=add_«.Name»
       make generate
  3. Decide who may do what. Owners and admins may do everything, auditors read, members do nothing with «.Name»:
     modules/roles/domain/builtin.go. The table that says so is in wire_gen/«.Name»_test.go. It needs a row for every operation
     you add, and make test fails until it has one.
  4. make test && make verify

docs/modules.md has the rest.
`)
}

// filled is fill for texts of this package, which parse.
func (p plan) filled(text string) string {
	out, err := p.fill("report", text)
	if err != nil {
		panic(err) // a mistake in this file; the test would have found it
	}
	return strings.ToUpper(string(out[:2])) + string(out[2:])
}
