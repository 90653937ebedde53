package pg

import (
	"strconv"
	"strings"
	"sync"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5/pgconn"
)

// statement is a statement of one row as a connection has it, or will have it
// once it has been sent.
type statement struct {
	sd    *pgconn.StatementDescription
	there bool // it is prepared
}

// dictionary is what the process has learned of its statements: the types of
// parameters and columns, which are the same for every tenant and connection. So
// a connection need not ask for them before it can send a statement for the
// first time.
type dictionary struct{ known sync.Map } // SQL -> *pgconn.StatementDescription

// tag sets the tenant's own statement apart from the one that all share.
const tag = "\n/* "

func (d *dictionary) learn(sd *pgconn.StatementDescription) {
	if d == nil {
		return
	}
	plain, _, _ := strings.Cut(sd.SQL, tag)
	d.known.Store(plain, sd)
}

func (d *dictionary) types(sql string) *pgconn.StatementDescription {
	if d == nil {
		return nil
	}
	sd, _ := d.known.Load(sql)
	found, _ := sd.(*pgconn.StatementDescription)
	return found
}

// one is a statement of one row as a tenant sends it, nil if its types are not
// known yet.
func (s *session) one(tenant uuid.UUID, sql string, visits bool) *statement {
	return s.travelling(sql, s.text(tenant, sql, visits))
}

// opener is a statement that reads open with, nil like one.
func (s *session) opener(opening string) *statement { return s.travelling(opening, opening) }

// frame is a statement that begins or ends a transaction.
func (s *session) frame(sql string) *statement {
	found, ok := s.own[sql]
	if !ok {
		found = &statement{sd: &pgconn.StatementDescription{Name: s.nextName(), SQL: sql}}
		s.own[sql] = found
	}
	return found
}

// nextName is the name of a statement on the server.
func (s *session) nextName() string {
	s.named++
	return "insula_" + strconv.Itoa(s.named)
}

func (s *session) travelling(sql, text string) *statement {
	if found, ok := s.own[text]; ok {
		return found
	}
	types := s.dictionary.types(sql)
	if types == nil {
		return nil
	}
	st := &statement{sd: &pgconn.StatementDescription{
		Name: s.nextName(), SQL: text, ParamOIDs: types.ParamOIDs, Fields: types.Fields,
	}}
	s.own[text] = st
	s.memory += planMemory
	return st
}

// drop stops counting on a statement.
func (s *session) drop(st *statement) {
	if s.own[st.sd.SQL] != st {
		return
	}
	delete(s.own, st.sd.SQL)
	s.memory -= planMemory
	if st.there {
		s.closing = append(s.closing, st.sd.Name)
	}
}
