package pg

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"

	"github.com/insulahq/insula/platform/clock"
	"github.com/insulahq/insula/platform/id"
	"github.com/insulahq/insula/platform/op"
	"github.com/insulahq/insula/platform/pg/internal/pgdb"
	"github.com/insulahq/insula/platform/tenancy"
	"github.com/insulahq/insula/platform/uow"
)

// Outbox implements jobs.Outbox by rows in the tenant's schema, which package
// queue hands to the job queue.
type Outbox struct {
	pool   *Pool
	clock  clock.Clock
	ids    id.Source
	q      *pgdb.Queries
	signal chan uuid.UUID
}

// signals bounds how many tenants can wait to be looked at; beyond it the
// regular sweep finds them.
const signals = 4096

// NewOutbox makes the outbox of a process.
func NewOutbox(pool *Pool, c clock.Clock, ids id.Source) *Outbox {
	return &Outbox{pool: pool, clock: c, ids: ids, q: pgdb.New(), signal: make(chan uuid.UUID, signals)}
}

// Put implements jobs.Outbox.
func (o *Outbox) Put(ctx context.Context, tx uow.Tx, d op.Def, args any) error {
	return o.PutAt(ctx, tx, d, args, o.clock.Now())
}

// PutAt implements jobs.Outbox.
func (o *Outbox) PutAt(ctx context.Context, tx uow.Tx, d op.Def, args any, at time.Time) error {
	w, ok := tx.(*writeTx)
	if !ok || w.unit.tenant == nil {
		return errors.New("work can be queued only in a writing unit of work of a tenant")
	}
	if d.Guard != op.ByJob {
		return fmt.Errorf("%s is not a job", d.Name)
	}
	text, err := json.Marshal(args)
	if err != nil {
		return fmt.Errorf("arguments of %s: %w", d.Name, err)
	}
	tenant := *w.unit.tenant
	tx.AfterCommit(func(context.Context) { o.wake(tenant) })
	return o.q.PutWork(ctx, DB(tx), pgdb.PutWorkParams{ID: o.ids.New(), Operation: d.Name, Args: text, RunAt: at})
}

func (o *Outbox) wake(tenant uuid.UUID) {
	select {
	case o.signal <- tenant:
	default:
	}
}

// Signals yields tenants that have just queued work.
func (o *Outbox) Signals() <-chan uuid.UUID { return o.signal }

// Work is queued work of one tenant.
type Work struct {
	ID        uuid.UUID
	Operation string
	Args      json.RawMessage
	RunAt     time.Time
}

// Hand gives what a tenant has queued to hand, and forgets it once hand has
// taken it. When the process ends in between, the same work is handed again:
// hand must know it by its id. It returns how much there was.
func (o *Outbox) Hand(ctx context.Context, t tenancy.Tenant, hand func(context.Context, []Work) error) (int, error) {
	handed := 0
	err := o.pool.Tenant(t).Record(ctx, func(tx uow.Tx) error {
		rows, err := o.q.TakeWork(ctx, DB(tx))
		if err != nil || len(rows) == 0 {
			return err
		}
		work, ids := make([]Work, len(rows)), make([]uuid.UUID, len(rows))
		for i, r := range rows {
			work[i], ids[i] = Work{ID: r.ID, Operation: r.Operation, Args: r.Args, RunAt: r.RunAt}, r.ID
		}
		if err := hand(ctx, work); err != nil {
			return err
		}
		handed = len(work)
		return o.q.DeleteWork(ctx, DB(tx), ids)
	})
	return handed, err
}
