package pg_test

import (
	"context"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/insulahq/insula/platform/pg"
	"github.com/insulahq/insula/platform/pgtest"
	"github.com/insulahq/insula/platform/secret"
	"github.com/insulahq/insula/platform/tenancy"
	"github.com/insulahq/insula/platform/uow"
)

// Writers and readers of a tenant that moves there and back hear of nothing:
// no failure, nothing lost, nothing done twice, no half of anything.
func TestATenantWorksWhileItMoves(t *testing.T) {
	t.Parallel()
	f, there := pgtest.Tenant(t), pgtest.Elsewhere(t)
	f.BehindTheWall(t, "INSERT INTO policy (current, version) VALUES (true, 0)")

	ctx, stop := context.WithCancel(t.Context())
	load := &load{t: t, unit: func() uow.Unit { return there.Pool.Tenant(f.Tenant) }}
	load.run(ctx, 3, 2)
	var windows []time.Duration
	for _, to := range []string{there.Name, tenancy.MainPlacement} {
		load.more(50)
		windows = append(windows, there.Move(t, f.Tenant, to).Window)
	}
	load.more(50)
	stop()
	load.all.Wait()
	t.Logf("%d changes, %d reads, windows %v", load.written.Load(), load.read.Load(), windows)
	load.verify(t)
}

// While writers wait for a move, they keep no connection and no place of their
// tenant's share: its readers go on, and so do its neighbours.
func TestAMoveHoldsUpWritersAlone(t *testing.T) {
	t.Parallel()
	f, neighbour, there := pgtest.Tenant(t), pgtest.Tenant(t), pgtest.Elsewhere(t)
	pool, err := pg.Open(t.Context(), pg.Options{
		URL: f.AppURL, MaxConns: 4, Placements: map[string]secret.Value{there.Name: there.AppURL},
		Shares: func(uuid.UUID) pg.Share { return pg.Share{Units: 2, Waiting: 64} },
	})
	if err != nil {
		t.Fatal(err)
	}
	defer pool.Close()
	ctx, stop := context.WithCancel(t.Context())
	var loads []*load
	for _, of := range []pgtest.Fixture{f, neighbour} {
		of.BehindTheWall(t, "INSERT INTO policy (current, version) VALUES (true, 0)")
		l := &load{t: t, unit: func() uow.Unit { return pool.Tenant(of.Tenant) }}
		l.run(ctx, 20, 4)
		loads = append(loads, l)
	}
	loads[0].more(50)
	there.Move(t, f.Tenant, there.Name, func() {
		written := loads[0].written.Load()
		loads[0].moreReads(20)
		loads[1].moreReads(20)
		loads[1].more(20)
		if more := loads[0].written.Load() - written; more > 20 { // who had written before and was told since
			t.Errorf("%d changes in the window", more)
		}
	})
	loads[0].more(50)
	stop()
	for _, l := range loads {
		l.all.Wait()
		l.verify(t)
	}
}

// load is what a tenant's users do: each change writes two rows in two tables,
// and counts.
type load struct {
	t             *testing.T
	unit          func() uow.Unit
	all           sync.WaitGroup
	written, read atomic.Int64
	mu            sync.Mutex
	acknowledged  []string
	ring          chan struct{}
}

func (l *load) run(ctx context.Context, writers, readers int) {
	l.ring = make(chan struct{}, 1)
	for range writers {
		l.all.Go(func() { l.until(ctx, l.write) })
	}
	for range readers {
		l.all.Go(func() { l.until(ctx, l.look) })
	}
}

func (l *load) until(ctx context.Context, do func(ctx context.Context) error) {
	for ctx.Err() == nil {
		if err := do(context.WithoutCancel(ctx)); err != nil {
			l.t.Error(err)
			l.rings()
			return
		}
	}
}

func (l *load) write(ctx context.Context) error {
	id := uuid.NewString()
	err := l.unit().Write(ctx, func(tx uow.Tx) error {
		db := pg.DB(tx)
		if _, err := db.Exec(ctx, "INSERT INTO file_usage (scope, bytes, files) VALUES ($1, 0, 0)", id); err != nil {
			return err
		}
		if _, err := db.Exec(ctx, "UPDATE policy SET version = version + 1"); err != nil {
			return err
		}
		_, err := db.Exec(ctx, "INSERT INTO custom_permissions (name, summary, owner_too, created_at) VALUES ($1, '', false, $2)", id, time.Unix(0, 0))
		return err
	})
	if err != nil {
		return err
	}
	l.mu.Lock()
	l.acknowledged = append(l.acknowledged, id)
	l.mu.Unlock()
	l.written.Add(1)
	l.rings()
	return nil
}

// rings wakes who waits for more.
func (l *load) rings() {
	select {
	case l.ring <- struct{}{}:
	default:
	}
}

// invariant holds at every instant.
const invariant = `SELECT (SELECT count(*) FROM file_usage), (SELECT count(*) FROM custom_permissions), (SELECT version FROM policy)`

func (l *load) look(ctx context.Context) error {
	return l.unit().Read(ctx, func(tx uow.Tx) error {
		var a, b, n int64
		if err := pg.DB(tx).QueryRow(ctx, invariant).Scan(&a, &b, &n); err != nil {
			return err
		}
		l.rings()
		if l.read.Add(1); a != b || a != n {
			l.t.Errorf("saw %d of one, %d of the other, and a count of %d", a, b, n)
		}
		return nil
	})
}

// more waits until so many more changes have been acknowledged.
func (l *load) more(n int64) {
	for until := l.written.Load() + n; l.written.Load() < until && !l.t.Failed(); {
		<-l.ring
	}
}

// moreReads is more for reads.
func (l *load) moreReads(n int64) {
	for until := l.read.Load() + n; l.read.Load() < until && !l.t.Failed(); {
		<-l.ring
	}
}

// verify looks for each acknowledged change.
func (l *load) verify(t *testing.T) {
	t.Helper()
	ctx := t.Context()
	if err := l.look(ctx); err != nil {
		t.Fatal(err)
	}
	err := l.unit().Read(ctx, func(tx uow.Tx) error {
		var found, all int
		const sql = "SELECT count(*) FILTER (WHERE name = ANY ($1)), count(*) FROM custom_permissions"
		if err := pg.DB(tx).QueryRow(ctx, sql, l.acknowledged).Scan(&found, &all); err != nil {
			return err
		}
		if found != len(l.acknowledged) || all != found {
			t.Errorf("%d of %d acknowledged changes are there, %d in all", found, len(l.acknowledged), all)
		}
		return nil
	})
	if err != nil {
		t.Error(err)
	}
}
