// Package uow declares the unit of work: the only door to a tenant's data.
//
// A repository holds no pool and no connection; each of its methods takes a
// Tx. Only a Unit makes one, already walled into one tenant, and only package
// op and named jobs hold a Unit. Code without a Tx can reach no data, code
// with one can reach one tenant's. Package pg implements both.
package uow

import (
	"context"

	"github.com/google/uuid"

	"github.com/insulahq/insula/platform/errs"
)

// ErrNested reports a unit of work opened inside another: it would wait for a
// second connection while it holds the first, and starve a small pool.
// It is a programming error, so it has no declared code.
var ErrNested = errs.New(errs.Internal, "uow.nested", "A unit of work was opened inside another one.")

// Tx proves that its holder works for exactly one tenant, inside a
// transaction that someone else commits. It is not safe for concurrent use
// and is dead once the function it was given to has returned.
type Tx interface {
	// AfterCommit runs fn once the transaction is durable, and never when it
	// is not. Cache invalidation and events hang here.
	AfterCommit(fn func(ctx context.Context))
	// Trail collects what the audit record of this unit will say.
	Trail() *Trail
}

// Unit opens transactions for one tenant, one at a time: see ErrNested.
type Unit interface {
	// Read runs fn with a Tx that cannot write. Each statement sees what was
	// committed when it began.
	Read(ctx context.Context, fn func(Tx) error) error
	// Look is Read for what the operator sees of a tenant and for the evidence
	// that is made of one: it also opens for a tenant that is suspended or
	// deleted.
	Look(ctx context.Context, fn func(Tx) error) error
	// Write runs fn and commits, or rolls back when fn fails or panics. fn may
	// run again after a serialisation failure or deadlock, so whatever it
	// assigns outside itself must be assigned afresh each time.
	Write(ctx context.Context, fn func(Tx) error) error
	// Record is Write for the audit record of a refusal, of a failure or of what
	// the operator did: it also opens for a tenant that is suspended or deleted.
	Record(ctx context.Context, fn func(Tx) error) error
}

// Target names the thing an operation acts on. Label is what people call it
// (an e-mail address, a slug) and stays readable after the thing is gone.
type Target struct {
	Kind  string
	ID    string
	Label string
}

// Trail is the part of an audit record that only the body of an operation
// knows. The zero value is ready.
type Trail struct {
	target        Target
	before, after any
	only          *uuid.UUID // the only owner who may act; nil: ownership does not matter
	proven        bool
}

// On names the thing acted on; the last call wins.
func (t *Trail) On(kind, id, label string) { t.target = Target{Kind: kind, ID: id, Label: label} }

// Changed keeps the thing as it was and as it is now; nil before means
// created, nil after means removed. Secrets inside must be of type
// secret.Value, which prints redacted.
func (t *Trail) Changed(before, after any) { t.before, t.after = before, after }

// Target is what On said.
func (t *Trail) Target() Target { return t.target }

// Change is what Changed said.
func (t *Trail) Change() (before, after any) { return t.before, t.after }

// OwnedBy says whose the thing is. An operation that is open to owners too
// says it before it changes anything and returns the error at once:
// errs.ErrForbidden for somebody who may act on their own alone.
func (t *Trail) OwnedBy(owner uuid.UUID) error {
	if t.only == nil {
		return nil
	}
	t.proven = *t.only != uuid.Nil && *t.only == owner
	if !t.proven {
		return errs.ErrForbidden
	}
	return nil
}

// OnlyFor demands that the thing belongs to caller. The runner of operations
// says it before the body is run.
func (t *Trail) OnlyFor(caller uuid.UUID) { t.only, t.proven = &caller, false }

// Proven reports whether what OnlyFor demanded was shown to be so.
func (t *Trail) Proven() bool { return t.proven }
