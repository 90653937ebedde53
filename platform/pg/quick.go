package pg

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgtype"
)

// quick is a read of one row. When connections are busy it waits in its shard
// and travels with the others that wait there: one connection takes several,
// each a transaction of its own that opens, reads and ends by itself, and sends
// them in one go. Neither side then sleeps and wakes for each of them. What
// happens to one does not touch the next: an error ends at the end of its own
// transaction.
type quick struct {
	ctx    context.Context
	tenant uuid.UUID
	open   []any // arguments of the statement that opens its transaction
	sql    string
	args   []any

	told chan summons    // what a waiting one is woken with
	span context.Context // what the tracer made of ctx
	row  [][]byte        // the first row, as it came
	sd   *pgconn.StatementDescription
	err  error // pgx.ErrNoRows when there is none
	slow bool  // could not be sent: the connection does not know the statement
}

// summons tells a waiting read how it goes on.
type summons int

const (
	served summons = iota // row or err is there
	lead                  // the one who led has gone: it is this one's turn
)

// companions is how many reads travel together at most: enough to save most
// of the sleeping, few enough that the last does not wait for long.
const companions = 8

// queue is where the quick reads of a shard wait.
type queue struct {
	mu      sync.Mutex
	leaders int // reads that have a connection or wait for one
	waiting []*quick
}

// enter reports whether the read leads: it takes a connection for itself and
// whom it finds waiting. Otherwise it waits to be told.
func (q *queue) enter(r *quick, limit int) bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.leaders < limit {
		q.leaders++
		return true
	}
	r.told = make(chan summons, 1)
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
	return taken
}

// leave hands the lead to the one who waits longest, if anybody does.
func (q *queue) leave() {
	q.mu.Lock()
	defer q.mu.Unlock()
	if len(q.waiting) == 0 {
		q.leaders--
		return
	}
	next := q.waiting[0]
	q.waiting = append(q.waiting[:0], q.waiting[1:]...)
	next.told <- lead
}

// giveUp takes a read away that nobody has taken yet.
func (q *queue) giveUp(r *quick) bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	for i, other := range q.waiting {
		if other == r {
			q.waiting = append(q.waiting[:i], q.waiting[i+1:]...)
			return true
		}
	}
	return false
}

// read runs a quick read, alone or in company.
func (s *shards) read(r *quick) {
	at := s.choose(&r.tenant)
	at.busy.Add(1)
	defer at.busy.Add(-1)
	if at.quick.enter(r, int(s.size)) {
		s.lead(at, r)
		return
	}
	select {
	case told := <-r.told:
		if told == lead {
			s.lead(at, r)
		}
	case <-r.ctx.Done():
		if !at.quick.giveUp(r) { // it was just taken
			if told := <-r.told; told == served {
				return
			}
			at.quick.leave()
		}
		r.err = r.ctx.Err()
	}
}

// lead takes a connection and reads for all who wait.
func (s *shards) lead(at *shard, r *quick) {
	defer at.quick.leave()
	c, err := at.pool.Acquire(r.ctx)
	if err != nil {
		r.err = err
		return
	}
	defer c.Release()
	party := append([]*quick{r}, at.quick.join(companions-1)...)
	defer func() {
		for _, other := range party[1:] {
			other.told <- served
		}
	}()
	s.travel(c.Conn(), party)
}

// travel sends the reads of a party and gives each its answer.
func (s *shards) travel(c *pgx.Conn, party []*quick) {
	session := sessionOf(c)
	sent := party[:0:0]
	for _, r := range party {
		if r.sd = session.known(r.tenant, r.sql); r.sd == nil || session.opening == nil {
			r.slow = true
			continue
		}
		sent = append(sent, r)
	}
	if len(sent) == 0 {
		return
	}
	ctx, done := shared(sent)
	defer done()
	for _, r := range sent {
		r.span = s.tracer.TraceQueryStart(r.ctx, c, pgx.TraceQueryStartData{SQL: r.sql, Args: r.args})
	}
	exchange(ctx, c, session.opening, sent)
	for _, r := range sent {
		s.tracer.TraceQueryEnd(r.span, c, pgx.TraceQueryEndData{Err: r.err})
		if forgotten(r.err) {
			session.forget(r.sd.SQL)
		}
		r.slow = forgotten(r.err) || stale(r.err)
	}
}

// exchange sends all at once and reads the answers in turn.
func exchange(ctx context.Context, c *pgx.Conn, opening *pgconn.StatementDescription, sent []*quick) {
	p := c.PgConn().StartPipeline(ctx)
	defer func() { _ = p.Close() }() // what went wrong is known by then
	expected := sent[:0:0]
	for _, r := range sent {
		if r.err = r.send(c, p, opening); r.err == nil {
			expected = append(expected, r)
		}
	}
	err := p.Flush()
	for _, r := range expected {
		if err == nil {
			err = r.receive(p)
		}
		if err != nil && r.err == nil { // it broke the connection, for all that follow
			r.err = err
		}
	}
}

// shared is a context that ends when nobody of a party wants its answer any more.
func shared(party []*quick) (context.Context, func()) {
	if len(party) == 1 {
		return party[0].ctx, func() {}
	}
	ctx, cancel := context.WithCancel(context.WithoutCancel(party[0].ctx))
	var mu sync.Mutex
	wanted := len(party)
	stops := make([]func() bool, len(party))
	for i, r := range party {
		stops[i] = context.AfterFunc(r.ctx, func() {
			mu.Lock()
			defer mu.Unlock()
			if wanted--; wanted == 0 {
				cancel()
			}
		})
	}
	return ctx, func() {
		for _, stop := range stops {
			stop()
		}
		cancel()
	}
}

// send queues opening, statement and the end of their transaction.
func (r *quick) send(c *pgx.Conn, p *pgconn.Pipeline, opening *pgconn.StatementDescription) error {
	var open, read pgx.ExtendedQueryBuilder
	if err := open.Build(c.TypeMap(), opening, r.open); err != nil {
		return err
	}
	if err := read.Build(c.TypeMap(), r.sd, r.args); err != nil {
		return err
	}
	p.SendQueryStatement(opening, open.ParamValues, open.ParamFormats, open.ResultFormats)
	p.SendQueryStatement(r.sd, read.ParamValues, read.ParamFormats, read.ResultFormats)
	p.SendPipelineSync()
	return nil
}

// receive reads the answers of one transaction to its end. What it returns has
// broken the connection; what the server refused is the read's own error.
func (r *quick) receive(p *pgconn.Pipeline) error {
	var tag pgconn.CommandTag
	for n := 0; ; n++ {
		answer, err := p.GetResults()
		switch answer := answer.(type) {
		case *pgconn.PipelineSync:
			return nil
		case *pgconn.ResultReader:
			if n == 1 {
				r.row = firstRow(answer)
			}
			tag, err = answer.Close()
			switch {
			case err != nil:
			case n == 0 && tag.RowsAffected() == 0:
				r.err = errClosed
			case n == 1 && r.row == nil && r.err == nil:
				r.err = pgx.ErrNoRows
			}
		}
		var refused *pgconn.PgError
		switch {
		case err == nil && answer == nil:
			return errors.New("the connection ended before its answers")
		case err == nil:
		case !errors.As(err, &refused):
			return err
		case r.err == nil:
			r.err = err
		}
	}
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
	for i, field := range r.sd.Fields {
		if err := m.Scan(field.DataTypeOID, m.FormatCodeForOID(field.DataTypeOID), r.row[i], dest[i]); err != nil {
			return pgx.ScanArgError{ColumnIndex: i, FieldName: field.Name, Err: err}
		}
	}
	return nil
}
