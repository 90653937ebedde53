package pg

import (
	"context"
	"errors"
	"fmt"
	"math"
	"sync"
	"sync/atomic"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgtype"
	"github.com/jackc/pgx/v5/pgxpool"
)

// quick is a read of one row. When its connection is busy it waits there and
// travels with the others that wait: the connection takes several and sends them
// in one go (see party). Neither side then sleeps and wakes for each of them.
type quick struct {
	ctx     context.Context
	tenant  uuid.UUID
	ahead   bool   // nobody has asked for it (see Pool.Ahead)
	opening string // the statement that opens its transaction
	open    []any  // and its arguments
	sql     string
	args    []any

	told      chan summons    // what a waiting one is woken with
	since     time.Time       // it waits
	span      context.Context // what the tracer made of ctx
	opener    *statement
	statement *statement
	row       [][]byte // the first row, as it came
	answered  bool     // the row is there, or there is none
	err       error    // pgx.ErrNoRows when there is none
	slow      bool     // it did not run, and goes alone
	away      bool     // it did not run, because somebody keeps the connection
}

// summons tells a waiting read how it goes on.
type summons int

const (
	served summons = iota // row or err is there
	lead                  // the one who led has gone: it is this one's turn
)

// companions is how many reads travel together at most: enough to save most
// of the sleeping, few enough that the last does not wait for long.
const companions = 16

// queue is where the quick reads of a shard wait.
type queue struct {
	mu      sync.Mutex
	led     bool // a read has the connection or waits for it
	waiting []*quick
	joined  atomic.Int64 // reads that travelled with another one
	waits   atomic.Int64 // reads that had to wait
	waited  atomic.Int64 // for so long together, in nanoseconds
}

// enter reports whether the read leads: it takes a connection for itself and
// whom it finds waiting. Otherwise it waits to be told.
func (q *queue) enter(r *quick) bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	if !q.led {
		q.led = true
		return true
	}
	r.told, r.since = make(chan summons, 1), time.Now()
	q.waiting = append(q.waiting, r)
	return false
}

// join takes those who wait along, up to n.
func (q *queue) join(n int) []*quick {
	q.mu.Lock()
	defer q.mu.Unlock()
	n = min(n, len(q.waiting))
	taken := append([]*quick(nil), q.waiting[:n]...)
	q.waiting = append(q.waiting[:0], q.waiting[n:]...)
	q.took(taken...)
	return taken
}

// pass hands the lead on if it was given to a read that has given up.
func (q *queue) pass(r *quick) {
	select {
	case told := <-r.told:
		if told == lead {
			q.leave()
		}
	default: // it is under way
	}
}

// took counts reads whose wait is over.
func (q *queue) took(reads ...*quick) {
	now := time.Now()
	for _, r := range reads {
		q.waits.Add(1)
		q.waited.Add(int64(now.Sub(r.since)))
	}
}

// leave hands the lead to the one who waits longest, if anybody does.
func (q *queue) leave() {
	q.mu.Lock()
	defer q.mu.Unlock()
	if len(q.waiting) == 0 {
		q.led = false
		return
	}
	next := q.waiting[0]
	q.waiting = append(q.waiting[:0], q.waiting[1:]...)
	q.took(next)
	next.told <- lead
}

// giveUp takes a read away that nobody has taken yet.
func (q *queue) giveUp(r *quick) bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	for i, other := range q.waiting {
		if other == r {
			q.waiting = append(q.waiting[:i], q.waiting[i+1:]...)
			q.took(r)
			return true
		}
	}
	return false
}

// quickAttempts is how many connections a read tries at most that are then kept
// by somebody.
const quickAttempts = 3

// read runs a quick read, alone or in company, and returns it. A caller that
// gives up gets another one: its own may be under way with others, and is theirs.
func (s *shards) read(r *quick) *quick {
	for range quickAttempts {
		r.away = false
		if got := s.visit(s.company(r.tenant, !r.ahead), r); !got.away {
			return got
		}
	}
	r.slow = true
	return r
}

// visit reads on one connection, unless somebody keeps it.
func (s *shards) visit(at *shard, r *quick) *quick {
	at.busy.Add(1)
	defer at.busy.Add(-1)
	if at.quick.enter(r) {
		return s.lead(at, r)
	}
	return s.follow(at, r)
}

// follow waits to be told, but not behind a party that does not come back.
func (s *shards) follow(at *shard, r *quick) *quick {
	look := time.NewTimer(at.pace.patience())
	defer look.Stop()
	for {
		select {
		case told := <-r.told:
			if told == lead {
				return s.lead(at, r)
			}
			return r
		case <-look.C:
			if at.stuck() && at.quick.giveUp(r) {
				r.away = true
				return r
			}
			look.Reset(at.pace.patience())
		case <-r.ctx.Done():
			if !at.quick.giveUp(r) {
				at.quick.pass(r)
			}
			return &quick{err: r.ctx.Err()}
		}
	}
}

// lead takes the connection and reads for all who wait. If a unit of work has
// come to keep it, and a connection of the tenant is free of such, it goes there
// by itself.
func (s *shards) lead(at *shard, r *quick) *quick {
	if at.units.Load() > 0 && !at.only {
		if _, kept := s.open(r.tenant); !kept {
			r.away = true
			at.quick.leave()
			return r
		}
	}
	c, err := at.take(r.ctx)
	if err != nil {
		return at.turnAway(r, err)
	}
	party := append([]*quick{r}, at.quick.join(companions-1)...)
	at.quick.joined.Add(int64(len(party) - 1))
	if len(party) == 1 {
		defer at.quick.leave()
		defer at.release(c)
		s.travel(at, c.Conn(), party)
		return r
	}
	r.told = make(chan summons, 1)
	go s.guide(at, c, party)
	select {
	case <-r.told:
		return r
	case <-r.ctx.Done():
		return &quick{err: r.ctx.Err()}
	}
}

// turnAway ends a read that got no connection. If that cannot be opened, those
// who wait for it need not find out one after the other.
func (s *shard) turnAway(r *quick, err error) *quick {
	defer s.quick.leave()
	if r.away = errors.Is(err, errStuck); r.away {
		return r
	}
	r.err = err
	if r.ctx.Err() == nil {
		for _, other := range s.quick.join(math.MaxInt) {
			other.err = err
			other.told <- served
		}
	}
	return r
}

// guide takes a party to the server, whoever of it still waits.
func (s *shards) guide(at *shard, c *pgxpool.Conn, party []*quick) {
	s.travel(at, c.Conn(), party)
	at.release(c)
	for _, r := range party {
		r.told <- served
	}
	at.quick.leave()
}

// firstRow copies a row, which the connection would write over.
func firstRow(rows *pgconn.ResultReader) [][]byte {
	if !rows.NextRow() {
		return nil
	}
	values := rows.Values()
	size := 0
	for _, v := range values {
		size += len(v)
	}
	all, row := make([]byte, 0, size), make([][]byte, len(values))
	for i, v := range values {
		if v == nil {
			continue
		}
		begin := len(all)
		all = append(all, v...)
		row[i] = all[begin:len(all):len(all)]
	}
	return row
}

// typeMaps are what rows are read with apart from their connection; a map
// serves one reader at a time, and is dear to make.
var typeMaps = sync.Pool{New: func() any {
	m := pgtype.NewMap()
	register(m)
	return m
}}

// Scan implements pgx.Row.
func (r *quick) Scan(dest ...any) error {
	if r.err != nil {
		return r.err
	}
	if len(dest) != len(r.row) {
		return fmt.Errorf("%d columns cannot be read into %d places", len(r.row), len(dest))
	}
	m := typeMaps.Get().(*pgtype.Map)
	defer typeMaps.Put(m)
	for i, field := range r.statement.sd.Fields {
		if err := m.Scan(field.DataTypeOID, m.FormatCodeForOID(field.DataTypeOID), r.row[i], dest[i]); err != nil {
			return pgx.ScanArgError{ColumnIndex: i, FieldName: field.Name, Err: err}
		}
	}
	return nil
}
