package op

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"github.com/google/uuid"

	"github.com/insulahq/insula/platform/authn"
	"github.com/insulahq/insula/platform/clock"
	"github.com/insulahq/insula/platform/errs"
	"github.com/insulahq/insula/platform/id"
	"github.com/insulahq/insula/platform/scope"
	"github.com/insulahq/insula/platform/uow"
)

// Decision is the answer of the access decision maker. Rule says why in a
// form that people can read in the trail: "role admin", "public".
type Decision struct {
	Allow bool
	// IfOwner is neither yes nor no: it is yes to who owns the thing, which
	// only the body of the operation can tell.
	IfOwner bool
	Rule    string
	// Refusal is what the caller is told when denied; nil for
	// errs.ErrForbidden.
	Refusal error
}

// refusal is what a signed-in caller is told.
func (d Decision) refusal() error {
	if d.Refusal != nil {
		return d.Refusal
	}
	return errs.ErrForbidden
}

// Decider decides, from nothing but its arguments, whether a request may run
// an operation.
type Decider interface {
	Decide(r scope.Request, d Def) Decision
}

// Outcome is how an operation ended.
type Outcome string

// The outcomes in the audit trail.
const (
	Done   Outcome = "done"
	Denied Outcome = "denied"
	Failed Outcome = "failed"
)

// Entry is one record for the audit trail.
type Entry struct {
	ID        uuid.UUID
	At        time.Time
	Tenant    uuid.UUID
	Operation string
	Caller    authn.Caller
	Target    uow.Target
	Before    any
	After     any
	Outcome   Outcome
	Code      string // error code; "" when done
	Decision  Decision
}

// Recorder writes audit records inside the transaction it is given.
type Recorder interface {
	Record(ctx context.Context, tx uow.Tx, e Entry) error
}

// Runner runs the operations of one request. Package-wide Do is its verb.
type Runner struct {
	scope    scope.Request
	unit     uow.Unit
	decider  Decider
	recorder Recorder
	retries  Retries
	folds    *Folds
	meter    Meter
	clock    clock.Clock
	ids      id.Source
	log      *slog.Logger
}

// NewRunner makes the runner of one request.
func NewRunner(r scope.Request, u uow.Unit, d Decider, rec Recorder, c clock.Clock, ids id.Source, log *slog.Logger) *Runner {
	return &Runner{scope: r, unit: u, decider: d, recorder: rec, clock: c, ids: ids, log: log}
}

// Remember makes the runner keep results for requests that come again.
func (r *Runner) Remember(in Retries) *Runner {
	r.retries = in
	return r
}

// Fold makes the runner count equal refusals instead of recording each.
func (r *Runner) Fold(in *Folds) *Runner {
	r.folds = in
	return r
}

// Count makes the runner tell a meter how each operation was decided.
func (r *Runner) Count(in Meter) *Runner {
	r.meter = in
	return r
}

// Caller is who the runner runs for.
func (r *Runner) Caller() authn.Caller { return r.scope.Caller }

// Do runs an operation: it asks the decision maker, opens the unit of work,
// runs body, writes the audit record in the same transaction, and commits. A
// denied or failed write, and a read of something that is not here, leaves its
// record in a transaction of its own. A request that comes again under its
// Idempotency-Key gets the first result and changes nothing.
//
// It returns errs.ErrUnauthenticated, errs.ErrForbidden or what the decision
// maker wants to be told when denied, else what body or the unit of work
// returned.
func Do[T any](ctx context.Context, r *Runner, d Def, body func(tx uow.Tx) (T, error)) (T, error) {
	var out T
	once := replayable(ctx, r, d, body)
	err := r.do(ctx, d, func(tx uow.Tx) (replayed bool, err error) {
		out, replayed, err = once(tx)
		return replayed, err
	})
	if err != nil {
		var none T
		return none, err
	}
	return out, nil
}

// Check decides whether the request may run d, and records a refusal. It lets
// the HTTP layer refuse before it reads a body.
func (r *Runner) Check(ctx context.Context, d Def) error {
	_, err := r.decide(ctx, d)
	return err
}

// May decides whether the caller may also run d on a thing of this owner, for
// an operation that gives away what d guards. It returns errs.ErrForbidden or
// what the decision maker wants to be told. The record of a refusal is that of
// the operation in which it is asked.
func (r *Runner) May(d Def, owner uuid.UUID) error {
	decision := r.decider.Decide(r.scope, d)
	if decision.Allow || decision.IfOwner && owner != uuid.Nil && owner == r.scope.Caller.ID {
		return nil
	}
	return decision.refusal()
}

// decide asks the decision maker. A stranger's refusal is not recorded: until
// somebody proves who they are, the tenant's trail is not theirs to fill.
func (r *Runner) decide(ctx context.Context, d Def) (Decision, error) {
	decision := r.decider.Decide(r.scope, d)
	switch {
	case decision.Allow, decision.IfOwner:
		return decision, nil
	case !r.scope.Caller.SignedIn():
		r.decided(NotSignedIn)
		return decision, errs.ErrUnauthenticated
	}
	r.decided(Refused)
	r.refused(ctx, r.entry(d, Denied, decision.refusal(), decision))
	return decision, decision.refusal()
}

// Refuse records that the request was turned away before any operation could
// be decided, such as a token used at another tenant's address.
func (r *Runner) Refuse(ctx context.Context, d Def, err error) {
	r.refused(ctx, r.entry(d, Denied, err, Decision{Rule: errs.CodeOf(err)}))
}

func (r *Runner) do(ctx context.Context, d Def, body func(uow.Tx) (replayed bool, err error)) (err error) {
	decision, err := r.decide(ctx, d)
	if err != nil {
		return err
	}
	if decision.IfOwner {
		return r.asOwner(ctx, d, body)
	}
	r.decided(Allowed)
	return r.execute(ctx, d, decision, body)
}

// execute runs an operation that has been allowed.
func (r *Runner) execute(ctx context.Context, d Def, decision Decision, body func(uow.Tx) (replayed bool, err error)) (err error) {
	switch {
	case d.Long:
		return r.long(ctx, d, decision, body)
	case d.Quiet != "":
		return r.opening(d)(ctx, func(tx uow.Tx) error {
			_, err := body(tx)
			return err
		})
	case !d.Writes && !d.Records:
		return r.read(ctx, d, decision, body)
	}
	trail := new(uow.Trail)
	defer func() {
		if p := recover(); p != nil {
			r.recordAlone(ctx, r.entry(d, Failed, errs.ErrInternal, decision).without(trail))
			panic(p)
		}
		if kept, ok := err.(*keptError); ok { //nolint:errorlint // as write returned it
			err = kept.err // its record is in the transaction that was kept
		} else if err != nil && !errors.Is(err, errNotOwner) {
			r.recordAlone(ctx, r.entry(d, Failed, err, decision).without(trail))
		}
	}()
	return r.write(ctx, func(tx uow.Tx) (*keptError, error) {
		trail = tx.Trail()
		replayed, err := body(tx)
		kept, failed := err.(*keptError) //nolint:errorlint // only as Keep made it: what wraps it does not keep
		switch {
		case failed:
			return kept, r.recorder.Record(ctx, tx, r.entry(d, Failed, kept.err, decision).with(trail))
		case err != nil || replayed:
			return nil, err
		}
		return nil, r.recorder.Record(ctx, tx, r.entry(d, Done, nil, decision).with(trail))
	})
}

// opening is the kind of unit that quiet background work runs in.
func (r *Runner) opening(d Def) func(context.Context, func(uow.Tx) error) error {
	switch {
	case d.Lasting && d.Writes:
		return r.unit.Record
	case d.Lasting:
		return r.unit.Look
	case d.Writes:
		return r.unit.Write
	}
	return r.unit.Read
}

// read runs an operation that leaves no record, unless it asks for something
// that is not here: that may be another tenant's.
func (r *Runner) read(ctx context.Context, d Def, decision Decision, body func(uow.Tx) (bool, error)) error {
	missed, trail := false, new(uow.Trail)
	err := r.unit.Read(ctx, func(tx uow.Tx) error {
		trail = tx.Trail()
		_, err := body(tx)
		missed = errs.KindOf(err) == errs.NotFound
		return err
	})
	if missed {
		r.recordAlone(ctx, r.entry(d, Failed, err, decision).without(trail))
	}
	return err
}

// long runs a read that may take as long as its reader: see Long.
func (r *Runner) long(ctx context.Context, d Def, decision Decision, body func(uow.Tx) (bool, error)) error {
	if d.Records {
		begun := r.entry(d, Done, nil, decision)
		err := r.unit.Write(ctx, func(tx uow.Tx) error { return r.recorder.Record(ctx, tx, begun) })
		if err != nil {
			return err
		}
	}
	err := r.unit.Read(ctx, func(tx uow.Tx) error {
		_, err := body(tx)
		return err
	})
	if err != nil {
		r.recordAlone(ctx, r.entry(d, Failed, err, decision))
	}
	return err
}

func (r *Runner) entry(d Def, o Outcome, err error, decision Decision) Entry {
	return Entry{
		ID: r.ids.New(), At: r.clock.Now(), Tenant: r.scope.Tenant.ID, Operation: d.Name, Caller: r.scope.Caller,
		Target: d.target, Outcome: o, Code: errs.CodeOf(err), Decision: decision,
	}
}

// with adds what the body said.
func (e Entry) with(t *uow.Trail) Entry {
	e = e.without(t)
	e.Before, e.After = t.Change()
	return e
}

// without adds what the body said, less a change that did not happen.
func (e Entry) without(t *uow.Trail) Entry {
	if target := t.Target(); target != (uow.Target{}) {
		e.Target = target
	}
	return e
}

// refused records a refusal, unless it is one more of a burst.
func (r *Runner) refused(ctx context.Context, e Entry) {
	if !r.folds.again(ctx, r.scope.Tenant, e) {
		r.recordAlone(ctx, e)
	}
}

// recordTimeout bounds the record of a refusal; the caller may be long gone.
const recordTimeout = 5 * time.Second

// recordAlone writes a record in a transaction of its own, also when the
// caller has hung up. If even that fails the log is what remains.
func (r *Runner) recordAlone(ctx context.Context, e Entry) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), recordTimeout)
	defer cancel()
	err := r.unit.Record(ctx, func(tx uow.Tx) error { return r.recorder.Record(ctx, tx, e) })
	if err != nil {
		r.log.ErrorContext(ctx, "audit record lost", "operation", e.Operation, "outcome", string(e.Outcome),
			"code", e.Code, "actor", e.Caller.Label, "target", e.Target.ID, "error", err)
	}
}
