package service_test

import (
	"context"
	"errors"
	"math/rand/v2"
	"sync"
	"testing"

	"github.com/google/uuid"

	"github.com/insulahq/insula/modules/audit"
	"github.com/insulahq/insula/modules/audit/service"
	"github.com/insulahq/insula/platform/op"
	"github.com/insulahq/insula/platform/pg"
	"github.com/insulahq/insula/platform/uow"
)

var errChangedMind = errors.New("changed my mind")

// apart is a unit of work on a connection of its own: those of the pool are
// few for one tenant, and a test that holds them would wait for itself.
func (r *trail) apart(t *testing.T) uow.Unit {
	t.Helper()
	pool, err := pg.Open(t.Context(), pg.Options{URL: r.AppURL, MaxConns: 1})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(pool.Close)
	return pool.Tenant(r.Tenant)
}

// slow begins a transaction that records something and stays open until it is
// told how to end.
func (r *trail) slow(t *testing.T, e op.Entry) (end func(error)) {
	t.Helper()
	unit := r.apart(t)
	recorded, how, ended := make(chan struct{}), make(chan error), make(chan error, 1)
	go func() {
		once := sync.OnceFunc(func() { close(recorded) })
		ended <- unit.Write(t.Context(), func(tx uow.Tx) error {
			if err := r.recorder.Record(t.Context(), tx, e); err != nil {
				once()
				return err
			}
			once()
			select {
			case end := <-how:
				return end
			case <-t.Context().Done(): // the test failed: hold up no other
				return t.Context().Err()
			}
		})
	}()
	<-recorded
	return func(err error) {
		how <- err
		if got := <-ended; !errors.Is(got, err) {
			t.Errorf("ended with %v, want %v", got, err)
		}
	}
}

func TestASlowTransactionIsWaitedForAndNotMissed(t *testing.T) {
	t.Parallel()
	r := newTrail(t, audit.Policy{Batch: 100})
	r.record(t, 2)
	r.seal(t, 2)
	first, never := r.entry(), r.entry()
	commit := r.slow(t, first)
	giveUp := r.slow(t, never)
	r.record(t, 3) // no writer waits for the slow ones
	for range 3 {
		p, err := r.sealing.Seal(t.Context(), r.Tenant, service.Now)
		if err != nil || p.Sealed != 0 || !p.Waiting {
			t.Fatalf("sealed behind a running transaction: %+v, %v", p, err)
		}
	}
	giveUp(errChangedMind)
	if p, err := r.sealing.Seal(t.Context(), r.Tenant, service.Now); err != nil || p.Sealed != 0 {
		t.Fatalf("sealed behind a running transaction: %+v, %v", p, err)
	}
	commit(nil)
	r.seal(t, 6)
	if got := r.idOf(t, 2); got != first.ID {
		t.Errorf("record 2 is %s, want the one of the slow transaction, %s", got, first.ID)
	}
	if report := r.verify(t); report.Finding != nil || report.Size != 6 || report.Unsealed != 0 {
		t.Errorf("%+v", report)
	}
}

// A transaction that records more than once, late and early, has all of its
// records in one place.
func TestRecordsOfOneTransactionStayTogether(t *testing.T) {
	t.Parallel()
	r := newTrail(t, audit.Policy{Batch: 2})
	a, b, c := r.entry(), r.entry(), r.entry()
	r.Write(t, func(tx uow.Tx) error {
		return errors.Join(r.recorder.Record(t.Context(), tx, c), r.recorder.Record(t.Context(), tx, a), r.recorder.Record(t.Context(), tx, b))
	})
	r.seal(t, 3)
	for n, want := range []uuid.UUID{a.ID, b.ID, c.ID} {
		if got := r.idOf(t, int64(n)); got != want {
			t.Errorf("record %d is %s, want %s", n, got, want)
		}
	}
}

// Writers commit and give up in any order while two processes seal; in the end
// each record that was kept has one number.
func TestWritersAndSealersAtOnce(t *testing.T) {
	t.Parallel()
	const writers, each = 4, 40
	r := newTrail(t, audit.Policy{Batch: 9})
	entries := make([][]op.Entry, writers)
	for w := range entries {
		for range each {
			entries[w] = append(entries[w], r.entry())
		}
	}
	stop, cancel := context.WithCancel(t.Context())
	var sealers, all sync.WaitGroup
	for range 2 {
		sealers.Go(func() {
			for stop.Err() == nil {
				if _, err := r.sealing.Seal(t.Context(), r.Tenant, service.Now); err != nil {
					t.Error(err)
					return
				}
			}
		})
	}
	kept := make([]int64, writers)
	for w := range writers {
		unit := r.apart(t)
		chance := rand.New(rand.NewPCG(7, uint64(w)))
		all.Go(func() {
			for _, e := range entries[w] {
				var end error
				if chance.IntN(4) == 0 {
					end = errChangedMind
				} else {
					kept[w]++
				}
				pause := chance.IntN(3)
				err := unit.Write(t.Context(), func(tx uow.Tx) error {
					if err := r.recorder.Record(t.Context(), tx, e); err != nil {
						return err
					}
					for range pause { // others overtake this transaction
						if _, err := r.tree.Server(t.Context(), tx); err != nil {
							return err
						}
					}
					return end
				})
				if !errors.Is(err, end) {
					t.Error(err)
				}
			}
		})
	}
	all.Wait()
	cancel()
	sealers.Wait()
	var want int64
	for _, n := range kept {
		want += n
	}
	r.seal(t, want)
	if report := r.verify(t); report.Finding != nil || report.Size != want || report.Unsealed != 0 {
		t.Errorf("%d were kept: %+v, %v", want, report, report.Finding)
	}
}

// A tenant that came to another server has records whose transactions mean
// nothing here, higher and lower than what this server gives.
func TestAnotherServer(t *testing.T) {
	t.Parallel()
	r := newTrail(t, audit.Policy{Batch: 10})
	r.record(t, 12)
	r.seal(t, 12)
	r.record(t, 25)
	r.attack(t, "UPDATE audit_seals SET server = 'elsewhere', last_xid = last_xid + 1000000000000")
	r.attack(t, "UPDATE audit_events SET xid = xid + 1000000000000 WHERE target_id::int % 2 = 0")
	r.record(t, 3)
	r.seal(t, 40)
	r.record(t, 5)
	r.seal(t, 45)
	if report := r.verify(t); report.Finding != nil || report.Size != 45 || report.Unsealed != 0 {
		t.Errorf("%+v, %v", report, report.Finding)
	}
}
