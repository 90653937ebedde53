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
	"github.com/insulahq/insula/platform/uow"
)

// ifOwner leaves it to who owns the thing.
type ifOwner struct{}

func (ifOwner) Decide(scope.Request, op.Def) op.Decision {
	return op.Decision{IfOwner: true, Rule: "owner only"}
}

// TestOnlyTheOwnerIsHeard: a body that does not say whose the thing is, or
// says that it is another's, or that there is none, is not heard at all.
func TestOnlyTheOwnerIsHeard(t *testing.T) {
	reads := op.Read("things.see", "See.", op.OwnerToo, op.About("thing"))
	writes := op.Write("things.keep", "Keep.", op.OwnerToo, op.About("thing"))
	missing := errs.New(errs.NotFound, "things.not_found", "There is no such thing.")
	mine := somebody
	nobody := authn.Caller{Kind: authn.User}
	for name, tc := range map[string]struct {
		by      authn.Caller
		body    func(tx uow.Tx) (string, error)
		want    error
		outcome op.Outcome // of a write; a refused read is recorded too
	}{
		"the owner":           {mine, func(tx uow.Tx) (string, error) { return "done", tx.Trail().OwnedBy(mine.ID) }, nil, op.Done},
		"the owner, in vain":  {mine, func(tx uow.Tx) (string, error) { return "", errors.Join(tx.Trail().OwnedBy(mine.ID), boom) }, boom, op.Failed},
		"another":             {mine, func(tx uow.Tx) (string, error) { return "done", tx.Trail().OwnedBy(uuid.New()) }, errs.ErrForbidden, op.Denied},
		"another, not heeded": {mine, func(tx uow.Tx) (string, error) { _ = tx.Trail().OwnedBy(uuid.New()); return "done", nil }, errs.ErrForbidden, op.Denied},
		"nothing said":        {mine, func(uow.Tx) (string, error) { return "done", nil }, errs.ErrForbidden, op.Denied},
		"nothing there":       {mine, func(uow.Tx) (string, error) { return "", missing }, errs.ErrForbidden, op.Denied},
		"a thing of nobody's": {nobody, func(tx uow.Tx) (string, error) { return "done", tx.Trail().OwnedBy(uuid.Nil) }, errs.ErrForbidden, op.Denied},
		"first mine, then not": {mine, func(tx uow.Tx) (string, error) {
			_ = tx.Trail().OwnedBy(mine.ID)
			return "done", tx.Trail().OwnedBy(uuid.New())
		}, errs.ErrForbidden, op.Denied},
	} {
		for _, d := range []op.Def{reads, writes} {
			t.Run(name+" "+d.Name, func(t *testing.T) {
				records := &optest.Records{}
				run := op.NewRunner(scope.Request{Caller: tc.by}, &unit{}, ifOwner{}, records, clock.At(time.Unix(0, 0)), id.NewSequence(1), slog.New(slog.DiscardHandler))
				if err := run.Check(t.Context(), d.On("7")); err != nil {
					t.Fatalf("turned away before anything is known: %v", err)
				}
				got, err := op.Do(t.Context(), run, d.On("7"), tc.body)
				if !errors.Is(err, tc.want) || (got == "done") != (tc.want == nil) || errors.Is(err, missing) {
					t.Fatalf("got %q, %v", got, err)
				}
				entries := records.Entries()
				if !d.Writes && tc.outcome != op.Denied {
					if len(entries) != 0 {
						t.Errorf("recorded %+v", entries)
					}
					return
				}
				if len(entries) != 1 || entries[0].Outcome != tc.outcome || entries[0].Target.ID != "7" {
					t.Errorf("recorded %+v", entries)
				}
			})
		}
	}
}
