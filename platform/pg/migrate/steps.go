package migrate

import (
	"errors"
	"regexp"
	"slices"
	"strings"

	atlas "ariga.io/atlas/sql/migrate"
)

// A migration that builds an index on a table in use must not lock it, and CREATE INDEX CONCURRENTLY cannot run in
// a transaction. Such a file says so in its first line, as Atlas has it:
//
//	-- atlas:txmode none
//
//	CREATE INDEX CONCURRENTLY rooms_floor_idx ON rooms (floor);
//
// It may hold nothing but concurrent steps on indexes: these can be repeated, so an interrupted file can be taken
// up where it stopped.
const txMode = "txmode"

// outside reports whether a file asks to run outside a transaction.
func outside(f atlas.File) bool {
	d, ok := f.(interface{ Directive(name string) []string })
	return ok && slices.Contains(d.Directive(txMode), "none")
}

// concurrent matches a step on an index: what is done, the word that makes it concurrent, and the name.
var concurrent = regexp.MustCompile(
	`(?is)^\s*(CREATE\s+(?:UNIQUE\s+)?INDEX|DROP\s+INDEX)\s+(CONCURRENTLY)\s+(?:IF\s+(?:NOT\s+)?EXISTS\s+)?` +
		`("(?:[^"]|"")+"|[a-z_][a-z0-9_$]*)(?:\s+ON\s|\s*;?\s*$)`)

// checkMode refuses a statement that does not go with the mode of its file.
func (f file) checkMode(s *atlas.Stmt) error {
	isStep := concurrent.MatchString(s.Text)
	switch {
	case f.alone && !isStep:
		return errors.New("a file of txmode none holds only CREATE INDEX CONCURRENTLY name and DROP INDEX CONCURRENTLY name")
	case !f.alone && isStep:
		return errors.New("CONCURRENTLY needs the line \"-- atlas:txmode none\" at the top of the file, and an empty line after it")
	}
	return nil
}

// withinTransaction is the statement as it can run in a transaction.
func withinTransaction(stmt string) string {
	m := concurrent.FindStringSubmatchIndex(stmt)
	if m == nil {
		return stmt
	}
	return stmt[:m[4]] + stmt[m[5]:]
}

// indexStep is a concurrent step on an index.
type indexStep struct {
	sql  string
	name string // as written: quoted or not
	drop bool
}

func indexStepOf(stmt string) indexStep {
	m := concurrent.FindStringSubmatch(stmt)
	return indexStep{sql: stmt, name: m[3], drop: strings.EqualFold(m[1][:4], "DROP")}
}
