package pg

import (
	"context"
	"sync/atomic"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/insulahq/insula/platform/pg/internal/pgdb"
)

// session is what one connection has learned: which statements it has
// prepared, and which tenants it serves often.
//
// A statement can travel in one round trip with the statement that opens its
// transaction only if the connection has prepared it before: pgx prepares
// unknown statements ahead of the batch, where no tenant is set and its tables
// do not exist. Statements of one row are prepared on the way (see trip).
//
// PostgreSQL throws a prepared plan away when the search path has changed
// since. A statement that all tenants share is therefore planned anew whenever
// the tenant changes. So a tenant that comes often gets statements of its own:
// the same text with the tenant's id in a comment, planned once and kept.
type session struct {
	dictionary *dictionary
	statements map[string]*pgconn.StatementDescription // that pgx knows of
	own        map[string]*statement                   // those of one row, which travel without pgx
	unchained  int                                     // trips that do without a chain
	named      int                                     // of them, so far
	unwanted   []string                                // prepared, and no longer counted on
	closing    []string                                // the same, by their names on the server
	tenants    map[uuid.UUID]*guest
	uses       int   // since counts were last halved
	memory     int64 // estimate of what the backend holds, in bytes
	limit      int64 // beyond which it is worn and should be replaced
	turns      *turnover
	pooled     bool          // nothing is prepared, so nobody gets statements of their own
	doubtful   bool          // a wish to cancel may still reach what runs next
	met        *atomic.Int64 // counts first runs, of all connections together
}

// guest is a tenant as one connection knows it.
type guest struct {
	uses int
	own  map[string]string // shared statement -> the tenant's own, empty if it has none
}

const (
	// statementCache is how many statements pgx keeps prepared on a connection.
	statementCache = 2048
	// maxStatements stays below it, so that none is evicted that we count on.
	maxStatements = statementCache * 9 / 10
	// frequent is how often a tenant must have come to get statements of its own.
	frequent = 3
	// halveAfter is how many uses a frequency looks back on.
	halveAfter = 20_000
)

const sessionKey = "insula.session"

// newSession makes the session of a connection that wears out at a limit.
func newSession(d *dictionary, turns *turnover, limit int64, pooled bool) *session {
	return &session{
		pooled: pooled, dictionary: d, own: map[string]*statement{},
		statements: map[string]*pgconn.StatementDescription{}, tenants: map[uuid.UUID]*guest{},
		memory: emptyBackend, limit: limit, turns: turns, met: &atomic.Int64{},
	}
}

// worn says that the backend holds so much that it is to be replaced, when it is
// the connection's turn or overdue.
func (s *session) worn(now time.Time) bool {
	return s.memory > s.limit && s.turns.take(now, s.memory > overdue(s.limit))
}

func sessionOf(c *pgx.Conn) *session {
	s, _ := c.PgConn().CustomData()[sessionKey].(*session)
	return s
}

// text is the statement to send for a tenant: shared, or the tenant's own when
// it comes often and there is room, or when it is at home and there is much room.
func (s *session) text(tenant uuid.UUID, sql string, visits bool) string {
	if s.pooled {
		return sql
	}
	g := s.guest(tenant)
	own, met := g.own[sql]
	if own != "" {
		return own
	}
	if !met {
		s.met.Add(1)
		s.memory += relationsMemory
		g.own[sql] = ""
	}
	if g.uses < frequent && (visits || !s.roomy()) || !s.room() {
		return sql
	}
	own = sql + tag + tenant.String() + " */"
	g.own[sql] = own
	return own
}

func (s *session) guest(tenant uuid.UUID) *guest {
	if s.uses++; s.uses >= halveAfter {
		s.halve()
	}
	g, ok := s.tenants[tenant]
	if !ok {
		g = &guest{own: map[string]string{}}
		s.tenants[tenant] = g
	}
	g.uses++
	return g
}

// halve lets old visits count less. When room is short it takes the statements
// of those who do not come any more. As long as it is not they stay, or all who
// come now and then would be planned for anew each time.
func (s *session) halve() {
	s.uses = 0
	short := !s.room()
	for _, g := range s.tenants {
		g.uses /= 2
		if !short || g.uses >= frequent {
			continue
		}
		for sql, own := range g.own {
			s.forget(own)
			g.own[sql] = ""
		}
	}
}

func (s *session) has(text string) bool {
	_, ok := s.statements[text]
	return ok
}

// room says that one more statement can be kept: pgx has a bound, and beyond its
// limit of memory the connection will be replaced.
func (s *session) room() bool { return len(s.statements) < maxStatements && s.memory < s.limit }

// roomy says that also those may have their own who perhaps come only once.
func (s *session) roomy() bool {
	return len(s.statements) < maxStatements/2 && s.memory < s.limit*3/4
}

// prepare prepares a statement behind the wall, where its tables are: if there
// is room. Otherwise, and behind a pooler, pgx does it as it sees fit.
func (s *session) prepare(ctx context.Context, c *pgx.Conn, text string) error {
	if s.pooled || s.has(text) || !s.room() {
		return nil
	}
	sd, err := c.Prepare(ctx, text, text)
	if err == nil {
		s.statements[text] = sd
		s.memory += planMemory
		s.dictionary.learn(sd)
	}
	return err
}

// tidy learns what every read begins with and drops what nobody counts on. It is
// called outside of a transaction.
func (s *session) tidy(ctx context.Context, c *pgx.Conn) error {
	if s.pooled {
		return nil
	}
	for _, opening := range []string{pgdb.OpenRead, pgdb.OpenUnlimited} {
		if s.dictionary.types(opening) != nil {
			continue
		}
		sd, err := c.Prepare(ctx, opening, opening)
		if err != nil {
			return err
		}
		s.dictionary.learn(sd)
	}
	for _, text := range s.unwanted {
		if s.has(text) {
			continue // wanted again
		}
		if err := c.Deallocate(ctx, text); err != nil {
			return err
		}
	}
	s.unwanted = s.unwanted[:0]
	return nil
}

// forget stops counting on a statement, which is dropped at the next occasion.
func (s *session) forget(text string) {
	if st, ok := s.own[text]; ok {
		s.drop(st)
	}
	if s.has(text) {
		delete(s.statements, text)
		s.memory -= planMemory
		s.unwanted = append(s.unwanted, text)
	}
}
