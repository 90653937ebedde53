package op

import (
	"context"
	"errors"

	"github.com/insulahq/insula/platform/errs"
	"github.com/insulahq/insula/platform/uow"
)

// errNotOwner is why the body of an operation was not to be heard.
var errNotOwner = errors.New("the caller does not own it")

// asOwner runs an operation for somebody who may run it on what they own. The
// body must say whose the thing is; whatever else it says, also that there is
// no such thing, is kept from who does not own it, and nothing it did stays.
func (r *Runner) asOwner(ctx context.Context, d Def, body func(uow.Tx) (bool, error)) error {
	refused := false
	err := r.execute(ctx, d, Decision{Allow: true, Rule: "owner"}, func(tx uow.Tx) (bool, error) {
		trail := tx.Trail()
		trail.OnlyFor(r.scope.Caller.ID)
		replayed, err := body(tx)
		if refused = !trail.Proven(); refused {
			return false, errs.ErrForbidden.Because(errNotOwner)
		}
		return replayed, err
	})
	if !refused {
		r.decided(Allowed)
		return err
	}
	r.decided(Refused)
	r.refused(ctx, r.entry(d, Denied, err, Decision{Rule: "not the owner"}))
	return err
}
