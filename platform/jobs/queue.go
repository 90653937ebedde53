package jobs

import (
	"context"
	"encoding/json"
	"errors"
	"time"

	"github.com/insulahq/insula/platform/op"
	"github.com/insulahq/insula/platform/tenancy"
	"github.com/insulahq/insula/platform/uow"
)

// Outbox queues background work from inside a unit of work. The work runs
// after the commit, at least once, and never when there is none.
type Outbox interface {
	// Put queues the job d with args, which must survive JSON, to run as soon
	// as possible.
	Put(ctx context.Context, tx uow.Tx, d op.Def, args any) error
	// PutAt queues it for later.
	PutAt(ctx context.Context, tx uow.Tx, d op.Def, args any, at time.Time) error
}

// Handler does one kind of queued work. What it runs must be safe to repeat:
// a process may end after the work and before its end was noted.
type Handler struct {
	Def op.Def // declared with op.Job
	// Run does the work for one tenant. An error means again, later,
	// unless it is Hopeless.
	Run func(ctx context.Context, t tenancy.Tenant, args json.RawMessage) error
	// Attempts is how often it is tried at most; 12 (about an hour and a half
	// of growing pauses) when zero.
	Attempts int
	// Timeout bounds one try; one minute when zero.
	Timeout time.Duration
}

// hopeless is an error that trying again cannot help.
type hopeless struct{ error }

// Unwrap returns the error itself.
func (h hopeless) Unwrap() error { return h.error }

// Hopeless marks what a Handler returns as final: the work is given up.
func Hopeless(err error) error { return hopeless{err} }

// IsHopeless reports whether an error was marked so.
func IsHopeless(err error) bool {
	var h hopeless
	return errors.As(err, &h)
}

// Handle makes a Handler with typed arguments.
func Handle[A any](d op.Def, run func(ctx context.Context, t tenancy.Tenant, args A) error) Handler {
	return Handler{Def: d, Run: func(ctx context.Context, t tenancy.Tenant, raw json.RawMessage) error {
		var args A
		if err := json.Unmarshal(raw, &args); err != nil {
			return err
		}
		return run(ctx, t, args)
	}}
}
