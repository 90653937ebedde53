package pg

import "github.com/jackc/pgx/v5"

// A statement can travel in one round trip with the statement that opens its
// transaction only if this connection has prepared it before: pgx prepares
// unknown statements ahead of the batch, where no tenant is set and its
// tables do not exist. So each connection remembers what it has prepared.

const statementsKey = "insula.statements"

type statements map[string]struct{}

func rememberStatements(c *pgx.Conn) {
	c.PgConn().CustomData()[statementsKey] = statements{}
}

func statementsOf(c *pgx.Conn) statements {
	s, _ := c.PgConn().CustomData()[statementsKey].(statements)
	return s
}

func (s statements) has(sql string) bool {
	_, ok := s[sql]
	return ok
}

// maxStatements bounds the memory of a connection: generated queries are a
// fixed set, far below it.
const maxStatements = 2048

func (s statements) add(sql string) {
	if s != nil && len(s) < maxStatements {
		s[sql] = struct{}{}
	}
}

func (s statements) forget(sql string) { delete(s, sql) }
