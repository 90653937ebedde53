package pg

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

// travel sends the reads of a party in one go and gives each its answer. Those
// of one tenant share a transaction, which opens once; each tenant has one of
// its own, so nothing of one tenant gets to the next. An error ends its
// transaction, and those behind it go once more, each in one of its own.
func (s *shards) travel(c *pgx.Conn, party []*quick) {
	session := sessionOf(c)
	opening := session.opener()
	sent := party[:0:0]
	for _, r := range party {
		if r.statement = session.one(r.tenant, r.sql); opening == nil || r.statement == nil {
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
	t := trip{conn: c, session: session, opening: opening}
	if left := t.make(ctx, households(sent)); len(left) > 0 {
		t.make(ctx, slices.Collect(slices.Chunk(left, 1)))
	}
	for _, r := range sent {
		s.tracer.TraceQueryEnd(r.span, c, pgx.TraceQueryEndData{Err: r.failure()})
		if forgotten(r.err) {
			session.drop(r.statement)
		}
		r.slow = r.slow || forgotten(r.err) || stale(r.err)
	}
}

// failure is what went wrong; that there is no row is an answer.
func (r *quick) failure() error {
	if errors.Is(r.err, pgx.ErrNoRows) {
		return nil
	}
	return r.err
}

// households groups reads by tenant.
func households(party []*quick) [][]*quick {
	var all [][]*quick
	for _, r := range party {
		i := slices.IndexFunc(all, func(h []*quick) bool { return h[0].tenant == r.tenant })
		if i < 0 {
			i, all = len(all), append(all, nil)
		}
		all[i] = append(all[i], r)
	}
	return all
}

// trip is a way to the server and back on a connection.
type trip struct {
	conn     *pgx.Conn
	session  *session
	opening  *statement
	pipeline *pgconn.Pipeline
	asked    map[*statement]bool // to be prepared on this trip
}

// step is one answer that a transaction waits for: that a statement is forgotten
// or prepared, or what it returns.
type step struct {
	prepared *statement
	read     *quick // nil where the transaction opens
}

// transaction is the reads of one tenant with the steps they take.
type transaction struct {
	reads   []*quick
	steps   []step
	blocked bool // one of them waited for a lock until the time was up
}

// make sends all at once and reads the answers in turn. It returns the reads
// that did not run, because one before them in their transaction failed.
func (t *trip) make(ctx context.Context, households [][]*quick) (left []*quick) {
	t.pipeline = t.conn.PgConn().StartPipeline(ctx)
	defer func() { _ = t.pipeline.Close() }() // what went wrong is known by then
	t.asked = nil
	var all []*transaction
	for _, reads := range households {
		if x := t.send(reads); len(x.reads) > 0 {
			all = append(all, x)
		}
	}
	err := t.pipeline.Flush()
	for _, x := range all {
		if err == nil {
			err = t.receive(x)
		}
		for _, r := range x.reads {
			switch {
			case err != nil: // it broke the connection, for all that follow
				r.fail(err)
			case !r.answered && r.err == nil && x.blocked:
				r.slow = true
			case !r.answered && r.err == nil:
				left = append(left, r)
			}
		}
	}
	if err != nil {
		for _, r := range left {
			r.fail(err)
		}
		return nil
	}
	return left
}

// send queues an opening, the reads of its tenant and the end of their
// transaction.
func (t *trip) send(reads []*quick) *transaction {
	x := &transaction{}
	for _, r := range reads {
		var open, read pgx.ExtendedQueryBuilder
		if r.err = t.encode(&read, r.statement, r.args); r.err != nil {
			continue
		}
		if len(x.reads) == 0 {
			if r.err = t.encode(&open, t.opening, r.open); r.err != nil {
				continue
			}
			t.tidy(x)
			t.queue(x, t.opening, &open, nil)
		}
		t.queue(x, r.statement, &read, r)
		x.reads = append(x.reads, r)
	}
	if len(x.reads) > 0 {
		t.pipeline.SendPipelineSync()
	}
	return x
}

// encode turns values into what is sent. Types of the caller encode themselves;
// one that panics must not take the others of its party along, nor the process.
func (t *trip) encode(into *pgx.ExtendedQueryBuilder, s *statement, values []any) (err error) {
	defer func() {
		if cause := recover(); cause != nil {
			err = fmt.Errorf("encode a value: panic: %v", cause)
		}
	}()
	return into.Build(t.conn.TypeMap(), s.sd, values)
}

// queue queues a statement, which is prepared on the way if need be.
func (t *trip) queue(x *transaction, s *statement, values *pgx.ExtendedQueryBuilder, r *quick) {
	if !s.there && !t.asked[s] {
		if t.asked == nil {
			t.asked = map[*statement]bool{}
		}
		t.asked[s] = true
		t.pipeline.SendPrepare(s.sd.Name, s.sd.SQL, s.sd.ParamOIDs)
		x.steps = append(x.steps, step{prepared: s, read: r})
	}
	t.pipeline.SendQueryStatement(s.sd, values.ParamValues, values.ParamFormats, values.ResultFormats)
	x.steps = append(x.steps, step{read: r})
}

// tidy queues that the server forgets the statements that nobody counts on.
func (t *trip) tidy(x *transaction) {
	for _, name := range t.session.closing {
		t.pipeline.SendDeallocate(name)
		x.steps = append(x.steps, step{})
	}
	t.session.closing = nil
}

// receive reads the answers of one transaction to its end. What the server
// refuses is the error of the read that it refused, or of all if it is the
// opening. What it returns has broken the connection.
func (t *trip) receive(x *transaction) error {
	for n := 0; ; n++ {
		var at step // past the last there is the end of the transaction
		if n < len(x.steps) {
			at = x.steps[n]
		}
		answer, err := t.pipeline.GetResults()
		switch answer := answer.(type) {
		case *pgconn.PipelineSync:
			return nil
		case *pgconn.StatementDescription:
			at.prepared.there = true
			at.prepared.sd.Fields = answer.Fields // this tenant may be at another version than the one it was learned from
		case *pgconn.ResultReader:
			err = x.take(answer, at.read)
		}
		var refused *pgconn.PgError
		switch {
		case err == nil && answer == nil:
			return errors.New("the connection ended before its answers")
		case err != nil && !errors.As(err, &refused):
			return err
		case err != nil:
			x.blocked = x.blocked || tooSlow(refused)
			x.fail(err, at.read)
		}
	}
}

// take reads what a statement returns.
func (x *transaction) take(answer *pgconn.ResultReader, r *quick) error {
	if r != nil {
		r.row = firstRow(answer)
	}
	tag, err := answer.Close()
	switch {
	case err != nil:
	case r == nil && tag.RowsAffected() == 0:
		x.fail(errClosed, nil)
	case r != nil:
		r.answered = true
		if r.row == nil {
			r.fail(pgx.ErrNoRows)
		}
	}
	return err
}

// tooSlow reports that a statement was ended because it took, or waited, too
// long.
func tooSlow(e *pgconn.PgError) bool { return e.Code == lockTimeout || e.Code == cancelled }

// fail notes an error of one read, or of all.
func (x *transaction) fail(err error, r *quick) {
	if r != nil {
		r.fail(err)
		return
	}
	for _, r := range x.reads {
		r.fail(err)
	}
}

// fail notes the first thing that went wrong.
func (r *quick) fail(err error) {
	if r.err == nil {
		r.err = err
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
