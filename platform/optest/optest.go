// Package optest runs operations in tests of services, with every decision
// allowed and every record kept in memory.
package optest

import (
	"context"
	"log/slog"
	"sync"
	"testing"

	"github.com/insulahq/insula/platform/clock"
	"github.com/insulahq/insula/platform/id"
	"github.com/insulahq/insula/platform/op"
	"github.com/insulahq/insula/platform/scope"
	"github.com/insulahq/insula/platform/uow"
)

// Records keeps what would have gone to the audit trail.
type Records struct {
	mu      sync.Mutex
	entries []op.Entry
}

// Record implements op.Recorder.
func (r *Records) Record(_ context.Context, _ uow.Tx, e op.Entry) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.entries = append(r.entries, e)
	return nil
}

// Entries lists what was recorded so far.
func (r *Records) Entries() []op.Entry {
	r.mu.Lock()
	defer r.mu.Unlock()
	return append([]op.Entry(nil), r.entries...)
}

// Allow is a decision maker that allows everything.
type Allow struct{}

// Decide implements op.Decider.
func (Allow) Decide(scope.Request, op.Def) op.Decision {
	return op.Decision{Allow: true, Rule: "test"}
}

// Runner makes a runner for one request of a test.
func Runner(t testing.TB, r scope.Request, u uow.Unit, c clock.Clock) (*op.Runner, *Records) {
	t.Helper()
	records := &Records{}
	return op.NewRunner(r, u, Allow{}, records, c, id.System{}, slog.New(slog.DiscardHandler)), records
}
