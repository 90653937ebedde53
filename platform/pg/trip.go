package pg

import (
	"context"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

// trip is a way to the server and back on a connection, with a transaction for
// each tenant. In a chain a statement ends one and begins the next, and
// everything comes back in one piece: the server sends what it has at the end of
// a pipeline, and would wake us for each transaction. After an error it skips the
// rest of a chain, so nothing can run in a transaction of another tenant.
type trip struct {
	conn     *pgx.Conn
	session  *session
	chain    bool
	pipeline *pgconn.Pipeline
	asked    map[*statement]bool // to be prepared on this trip
	over     bool                // the answers have come to an end
}

func newTrip(c *pgx.Conn, chain bool) *trip {
	return &trip{conn: c, session: sessionOf(c), chain: chain, asked: map[*statement]bool{}}
}

// How the transactions of a chain begin and end.
const (
	beginChain = "begin read only"
	nextLink   = "commit and chain"
	endChain   = "commit"
)

// step is one answer that a transaction waits for: that a statement is prepared,
// or what it returns.
type step struct {
	prepared *statement
	read     *quick // nil for what is not a read
	opens    bool   // it lets the tenant in, with a row
}

// transaction is the reads of one tenant with the steps they take.
type transaction struct {
	reads   []*quick
	steps   []step
	last    bool // of the pipeline, whose end comes after its steps
	blocked bool // one of them waited for a lock until the time was up
}

// make sends all at once and reads the answers in turn. It returns the reads
// that did not run, because one before them failed.
func (t *trip) make(ctx context.Context, households [][]*quick) (left []*quick) {
	t.pipeline = t.conn.PgConn().StartPipeline(ctx)
	defer t.finish(ctx)
	all := t.sendAll(households)
	err := t.pipeline.Flush()
	if err == nil && len(all) > 0 {
		t.session.closing = nil // the server has been told
	}
	for _, x := range all {
		if err == nil && !t.over {
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

// finish leaves the connection without a transaction: an error in a chain leaves
// the one that failed.
func (t *trip) finish(ctx context.Context) {
	_ = t.pipeline.Close() // what went wrong is known by then
	if t.chain && t.conn.PgConn().TxStatus() != 'I' {
		abandon(ctx, t.conn)
		t.session.unchained = unchainedTrips
	}
}

// unchainedTrips is how many trips go without a chain after one has failed. What
// fails once, such as the reads of a tenant that has just been suspended, often
// fails again, and in a chain it costs those behind it a second trip.
const unchainedTrips = 64

// chains reports whether the next trip may be a chain.
func (s *session) chains() bool {
	if s.unchained == 0 {
		return true
	}
	s.unchained--
	return false
}

// sendAll queues the transactions, each as a pipeline of its own or all as one.
func (t *trip) sendAll(households [][]*quick) (all []*transaction) {
	for _, reads := range households {
		x := &transaction{}
		if t.send(x, reads, len(all) == 0); len(x.reads) > 0 {
			all = append(all, x)
		}
	}
	if t.chain && len(all) > 0 {
		x := all[len(all)-1]
		t.frame(x, endChain)
		t.end(x)
	}
	return all
}

// send queues an opening, the reads of its tenant and, if it stands alone, the
// end of their transaction.
func (t *trip) send(x *transaction, reads []*quick, first bool) {
	for _, r := range reads {
		var open, read pgx.ExtendedQueryBuilder
		if r.err = t.encode(&read, r.statement, r.args); r.err != nil {
			continue
		}
		if len(x.reads) == 0 {
			if r.err = t.encode(&open, r.opener, r.open); r.err != nil {
				continue
			}
			t.begin(x, first)
			t.queue(x, r.opener, &open, step{opens: true})
		}
		t.queue(x, r.statement, &read, step{read: r})
		x.reads = append(x.reads, r)
	}
	if len(x.reads) > 0 && !t.chain {
		t.end(x)
	}
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

// begin queues what comes before an opening.
func (t *trip) begin(x *transaction, first bool) {
	if first {
		t.tidy(x)
	}
	switch {
	case t.chain && first:
		t.frame(x, beginChain)
	case t.chain:
		t.frame(x, nextLink)
	}
}

// frame queues a statement that begins or ends a transaction.
func (t *trip) frame(x *transaction, sql string) {
	t.queue(x, t.session.frame(sql), &pgx.ExtendedQueryBuilder{}, step{})
}

func (t *trip) end(x *transaction) {
	t.pipeline.SendPipelineSync()
	x.last = true
}

// queue queues a statement, which is prepared on the way if need be.
func (t *trip) queue(x *transaction, s *statement, values *pgx.ExtendedQueryBuilder, at step) {
	if !s.there && !t.asked[s] {
		t.asked[s] = true
		t.pipeline.SendPrepare(s.sd.Name, s.sd.SQL, s.sd.ParamOIDs)
		x.steps = append(x.steps, step{prepared: s, read: at.read})
	}
	t.pipeline.SendQueryStatement(s.sd, values.ParamValues, values.ParamFormats, values.ResultFormats)
	x.steps = append(x.steps, at)
}

// tidy queues that the server forgets the statements that nobody counts on.
func (t *trip) tidy(x *transaction) {
	for _, name := range t.session.closing {
		t.pipeline.SendDeallocate(name)
		x.steps = append(x.steps, step{})
	}
}

// receive reads the answers of one transaction to its end. What the server
// refuses is the error of the read that it refused, or of all if it is the
// opening; then the next answer is the end of the pipeline. What receive returns
// has broken the connection.
func (t *trip) receive(x *transaction) error {
	for n := 0; x.last || n < len(x.steps); n++ {
		var at step // past the last there is the end of the pipeline
		if n < len(x.steps) {
			at = x.steps[n]
		}
		answer, err := t.pipeline.GetResults()
		switch answer := answer.(type) {
		case *pgconn.PipelineSync:
			t.over = t.chain
			return nil
		case *pgconn.StatementDescription:
			at.prepared.there = true
			at.prepared.sd.Fields = answer.Fields // this tenant may be at another version than the one it was learned from
		case *pgconn.ResultReader:
			err = x.take(answer, at)
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
	return nil
}

// take reads what a statement returns.
func (x *transaction) take(answer *pgconn.ResultReader, at step) error {
	if at.read != nil {
		at.read.row = firstRow(answer)
	}
	tag, err := answer.Close()
	switch {
	case err != nil:
	case at.opens && tag.RowsAffected() == 0:
		x.fail(errClosed, nil)
	case at.read != nil:
		at.read.answered = true
		if at.read.row == nil {
			at.read.fail(pgx.ErrNoRows)
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
