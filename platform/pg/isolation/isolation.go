// Package isolation tries to break the wall: it sends mixed requests of two
// throw-away tenants over as few backends as it can, with errors, panics,
// cancelled and timed out requests and killed backends among them, and looks
// for a row that crossed.
package isolation

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"time"

	"github.com/google/uuid"

	"github.com/insulahq/insula/platform/pg"
	"github.com/insulahq/insula/platform/tenancy"
	"github.com/insulahq/insula/platform/uow"
)

// Options say what to try.
type Options struct {
	Pool     *pg.Pool     // under test: over one backend, directly or through a pooler
	Migrator *pg.Migrator // makes and removes the tenants
	Requests int
	Callers  int    // at once
	Seed     uint64 // of the order of things; the same seed tries the same
	Progress func(done int)
}

// Report is what happened.
type Report struct {
	Requests int
	Failed   int // were meant to fail, and did
	Broken   int // failed because a backend was killed or a time was over
	Crossed  []string
}

// maxCrossed bounds how many crossings are described.
const maxCrossed = 10

// tester mixes the requests of two tenants.
type tester struct {
	o       Options
	tenants [2]tenancy.Tenant
	rows    [2]atomic.Int64 // acknowledged writes of each
	failed  atomic.Int64
	broken  atomic.Int64
	mu      sync.Mutex
	crossed []string
}

// Check makes two tenants, mixes their requests, and removes them. A crossed
// row is in the report; an error means that the check itself did not work.
func Check(ctx context.Context, o Options) (r Report, err error) {
	t := &tester{o: o}
	for i := range t.tenants {
		if t.tenants[i], err = settle(ctx, o.Migrator); err != nil {
			return r, fmt.Errorf("make a tenant: %w", err)
		}
		defer func() { err = errors.Join(err, leave(context.WithoutCancel(ctx), o.Migrator, t.tenants[i])) }()
	}
	t.mix(ctx)
	if err := ctx.Err(); err != nil {
		return r, err
	}
	if err := t.count(ctx); err != nil {
		return r, err
	}
	return Report{Requests: o.Requests, Failed: int(t.failed.Load()), Broken: int(t.broken.Load()), Crossed: t.crossed}, nil
}

func settle(ctx context.Context, m *pg.Migrator) (tenancy.Tenant, error) {
	id, err := uuid.NewV7()
	if err != nil {
		return tenancy.Tenant{}, err
	}
	plain := hex.EncodeToString(id[:])
	t := tenancy.Tenant{
		ID: id, Slug: "probe-" + plain[20:], Name: "Throw-away tenant of the isolation check",
		Kind: tenancy.Customer, Status: tenancy.Active, Schema: "t_" + plain,
	}
	return t, m.Provision(ctx, pg.Provisioning{
		Schema: t.Schema,
		Claim:  func(ctx context.Context, tx uow.Tx) (bool, error) { return true, register(ctx, tx, t) },
	}, func(uow.Tx) error { return nil })
}

func leave(ctx context.Context, m *pg.Migrator, t tenancy.Tenant) error {
	return errors.Join(
		m.Control().Write(ctx, func(tx uow.Tx) error { return unregister(ctx, tx, t) }),
		m.Drop(ctx, t.Schema, nil),
	)
}

// mix runs the requests, a number of callers at once.
func (t *tester) mix(ctx context.Context) {
	var next atomic.Int64
	var callers sync.WaitGroup
	for caller := range t.o.Callers {
		callers.Go(func() {
			random := rand.New(rand.NewPCG(t.o.Seed, uint64(caller))) //nolint:gosec // requests, the same for a seed
			for ctx.Err() == nil {
				n := int(next.Add(1))
				if n > t.o.Requests {
					return
				}
				t.request(ctx, random)
				if t.o.Progress != nil && n%1000 == 0 {
					t.o.Progress(n)
				}
			}
		})
	}
	callers.Wait()
}

// request sends one request of one tenant in one of many ways.
func (t *tester) request(ctx context.Context, random *rand.Rand) {
	who := random.IntN(2)
	switch p := random.IntN(1000); {
	case p < 250:
		t.glance(ctx, who)
	case p < 280:
		t.misread(ctx, who)
	case p < 300:
		t.hurriedGlance(ctx, who, time.Duration(random.IntN(2000))*time.Microsecond)
	case p < 500:
		t.read(ctx, who)
	case p < 800:
		t.write(ctx, who)
	case p < 880:
		t.fail(ctx, who)
	case p < 930:
		t.mistake(ctx, who)
	case p < 970:
		t.panic(ctx, who)
	case p < 980:
		t.hurry(ctx, who, time.Duration(random.IntN(2000))*time.Microsecond)
	case p < 990:
		t.hangUp(ctx, who)
	case p < 998:
		t.strangers(ctx)
	default:
		t.kill(ctx)
	}
}

// cross notes a row that a tenant saw and should not have.
func (t *tester) cross(who int, saw uuid.UUID) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if len(t.crossed) < maxCrossed {
		t.crossed = append(t.crossed, fmt.Sprintf("tenant %s saw a row of %s", t.tenants[who].ID, saw))
	}
}

// Print tells a person what a check found.
func (r Report) Print(w io.Writer) error {
	_, err := fmt.Fprintf(w, "%d requests of two tenants: %d failed as they were meant to, %d were interrupted, %d rows crossed\n",
		r.Requests, r.Failed, r.Broken, len(r.Crossed))
	for _, c := range r.Crossed {
		if err == nil {
			_, err = fmt.Fprintln(w, "CROSSED:", c)
		}
	}
	return err
}
