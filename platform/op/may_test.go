package op_test

import (
	"errors"
	"log/slog"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/insulahq/insula/platform/authn"
	"github.com/insulahq/insula/platform/clock"
	"github.com/insulahq/insula/platform/errs"
	"github.com/insulahq/insula/platform/id"
	"github.com/insulahq/insula/platform/op"
	"github.com/insulahq/insula/platform/optest"
	"github.com/insulahq/insula/platform/scope"
)

// always decides the same.
type always op.Decision

func (a always) Decide(scope.Request, op.Def) op.Decision { return op.Decision(a) }

// TestMayAsksForAnotherOperation: without a record of its own, and of who
// owns the thing where that is what decides.
func TestMayAsksForAnotherOperation(t *testing.T) {
	see := op.Read("things.see", "See.", op.OwnerToo, op.About("thing"))
	yes, no, owner := always{Allow: true}, always{}, always{IfOwner: true}
	for name, tc := range map[string]struct {
		decision always
		by       authn.Caller
		of       uuid.UUID
		want     error
	}{
		"allowed":             {yes, somebody, uuid.New(), nil},
		"not allowed":         {no, somebody, somebody.ID, errs.ErrForbidden},
		"for another reason":  {always{Refusal: boom}, somebody, somebody.ID, boom},
		"mine":                {owner, somebody, somebody.ID, nil},
		"another's":           {owner, somebody, uuid.New(), errs.ErrForbidden},
		"nobody's, by nobody": {owner, authn.Caller{}, uuid.Nil, errs.ErrForbidden},
	} {
		records := &optest.Records{}
		run := op.NewRunner(scope.Request{Caller: tc.by}, &unit{}, tc.decision, records, clock.At(time.Unix(0, 0)), id.NewSequence(1), slog.New(slog.DiscardHandler))
		if err := run.May(see, tc.of); !errors.Is(err, tc.want) {
			t.Errorf("%s: %v", name, err)
		}
		if n := len(records.Entries()); n != 0 {
			t.Errorf("%s: %d records", name, n)
		}
	}
}
