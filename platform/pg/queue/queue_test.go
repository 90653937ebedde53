package queue_test

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"testing"
	"time"

	"github.com/insulahq/insula/platform/clock"
	"github.com/insulahq/insula/platform/id"
	"github.com/insulahq/insula/platform/jobs"
	"github.com/insulahq/insula/platform/op"
	"github.com/insulahq/insula/platform/pg"
	"github.com/insulahq/insula/platform/pg/queue"
	"github.com/insulahq/insula/platform/pgtest"
	"github.com/insulahq/insula/platform/tenancy"
	"github.com/insulahq/insula/platform/uow"

	"github.com/google/uuid"
)

func TestMain(m *testing.M) { pgtest.Main(m) }

var greet = op.Job("things.greet", "Greet somebody.")

// street knows the tenants of a test.
type street struct {
	mu  sync.Mutex
	all map[uuid.UUID]tenancy.Tenant
}

func (s *street) ByID(_ context.Context, id uuid.UUID) (tenancy.Tenant, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if t, ok := s.all[id]; ok {
		return t, nil
	}
	return tenancy.Tenant{}, tenancy.ErrUnknown
}

func (s *street) BySlug(context.Context, string) (tenancy.Tenant, error) {
	return tenancy.Tenant{}, tenancy.ErrUnknown
}

func (s *street) served(context.Context) ([]tenancy.Tenant, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	var all []tenancy.Tenant
	for _, t := range s.all {
		all = append(all, t)
	}
	return all, nil
}

type who struct{ Name string }

// play runs a queue over some tenants until the test ends, or stop is called.
func play(t *testing.T, run func(context.Context, tenancy.Tenant, who) error, tenants ...pgtest.Fixture) (*pg.Outbox, func()) {
	t.Helper()
	db := pgtest.Database(t)
	s := &street{all: map[uuid.UUID]tenancy.Tenant{}}
	for _, f := range tenants {
		s.all[f.Tenant.ID] = f.Tenant
	}
	outbox := pg.NewOutbox(db.Pool, clock.System{}, id.System{})
	q, err := queue.Open(t.Context(), queue.Options{
		URL: db.AppURL, Handlers: []jobs.Handler{jobs.Handle(greet, run)}, Tenants: s, Outbox: outbox,
		Served: s.served, Log: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- q.Run(ctx) }()
	stop := sync.OnceFunc(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
		q.Close()
	})
	t.Cleanup(stop)
	return outbox, stop
}

func TestQueuedWork(t *testing.T) {
	a, b := pgtest.Tenant(t), pgtest.Tenant(t)
	type greeting struct{ tenant, name string }
	done := make(chan greeting, 10)
	outbox, _ := play(t, func(_ context.Context, t tenancy.Tenant, w who) error {
		done <- greeting{t.Slug, w.Name}
		return nil
	}, a, b)
	boom := errors.New("boom")
	err := a.Unit().Write(t.Context(), func(tx uow.Tx) error {
		return errors.Join(outbox.Put(t.Context(), tx, greet, who{"nobody"}), boom)
	})
	if !errors.Is(err, boom) {
		t.Fatal(err)
	}
	a.Write(t, func(tx uow.Tx) error { return outbox.Put(t.Context(), tx, greet, who{"ada"}) })
	b.Write(t, func(tx uow.Tx) error { return outbox.Put(t.Context(), tx, greet, who{"ben"}) })
	got := map[greeting]bool{<-done: true, <-done: true}
	if !got[greeting{a.Tenant.Slug, "ada"}] || !got[greeting{b.Tenant.Slug, "ben"}] {
		t.Errorf("got %v", got)
	}
}

func TestWorkThatFailsComesAgain(t *testing.T) {
	f := pgtest.Tenant(t)
	tries := make(chan int, 10)
	n := 0
	outbox, _ := play(t, func(context.Context, tenancy.Tenant, who) error {
		n++
		tries <- n
		if n == 1 {
			return errors.New("not yet")
		}
		return nil
	}, f)
	f.Write(t, func(tx uow.Tx) error { return outbox.Put(t.Context(), tx, greet, who{"ada"}) })
	if <-tries != 1 || <-tries != 2 {
		t.Error("out of order")
	}
}

// Work that a process queued and did not live to hand over is found by the
// next one; work that was handed over twice runs once.
func TestWorkOutlivesItsProcess(t *testing.T) {
	f := pgtest.Tenant(t)
	dead := pg.NewOutbox(f.Pool, clock.System{}, id.System{}) // nobody listens to its signals
	f.Write(t, func(tx uow.Tx) error { return dead.Put(t.Context(), tx, greet, who{"ada"}) })
	done := make(chan string, 10)
	outbox, stop := play(t, func(_ context.Context, _ tenancy.Tenant, w who) error {
		done <- w.Name
		return nil
	}, f)
	if got := <-done; got != "ada" {
		t.Errorf("got %s", got)
	}
	f.Write(t, func(tx uow.Tx) error { return outbox.Put(t.Context(), tx, greet, who{"ben"}) })
	if got := <-done; got != "ben" {
		t.Errorf("got %s", got)
	}
	stop()
	if len(done) != 0 {
		t.Errorf("work ran twice: %s", <-done)
	}
}

func TestOnlyJobsAreQueuedAndOnlyInWritingUnits(t *testing.T) {
	f := pgtest.Tenant(t)
	outbox := pg.NewOutbox(f.Pool, clock.System{}, id.System{})
	err := f.Unit().Read(t.Context(), func(tx uow.Tx) error { return outbox.Put(t.Context(), tx, greet, who{}) })
	if err == nil {
		t.Error("queued while reading")
	}
	err = f.Unit().Write(t.Context(), func(tx uow.Tx) error {
		return outbox.Put(t.Context(), tx, op.Write("things.make", "Make."), who{})
	})
	if err == nil {
		t.Error("queued an operation that is not a job")
	}
	err = f.DB.Migrator.Control().Write(t.Context(), func(tx uow.Tx) error {
		return outbox.PutAt(t.Context(), tx, greet, who{}, time.Now())
	})
	if err == nil {
		t.Error("queued without a tenant")
	}
}
