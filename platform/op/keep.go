package op

import (
	"context"

	"github.com/insulahq/insula/platform/uow"
)

// keptError is the failure of an operation whose changes stay.
type keptError struct{ err error }

func (e *keptError) Error() string { return e.err.Error() }

func (e *keptError) Unwrap() error { return e.err }

// Keep makes the error of a body that fails and still wants what it did to
// last: a guess that was counted, a session that was ended because its token
// came twice. The unit of work commits, the record in it says failed, with
// the code of err and the change, and Do returns err itself.
//
// The body returns it as it is: wrapped in another error it is an error like
// any other.
func Keep(err error) error { return &keptError{err} }

// write runs body in a unit of work that commits also when body's failure is
// to be kept, and then returns that.
func (r *Runner) write(ctx context.Context, body func(uow.Tx) (*keptError, error)) error {
	var kept *keptError
	err := r.unit.Write(ctx, func(tx uow.Tx) (err error) {
		kept, err = body(tx)
		return err
	})
	if err == nil && kept != nil {
		return kept
	}
	return err
}
