package service_test

import (
	"context"
	"log/slog"
	"testing"

	"github.com/insulahq/insula/modules/files/domain"
	"github.com/insulahq/insula/modules/files/service"
	"github.com/insulahq/insula/platform/id"
	"github.com/insulahq/insula/platform/op"
	"github.com/insulahq/insula/platform/optest"
	"github.com/insulahq/insula/platform/scope"
	"github.com/insulahq/insula/platform/uow"
)

// answer keeps the result of one request.
type answer struct{ kept []byte }

func (a *answer) Begin(context.Context, uow.Tx, op.Claim) ([]byte, bool, error) {
	return a.kept, a.kept != nil, nil
}

func (a *answer) Finish(_ context.Context, _ uow.Tx, _ op.Claim, result []byte) error {
	a.kept = result
	return nil
}

func (a *answer) Release(context.Context, uow.Tx, op.Claim) error { return nil }

// repeating is the same user, whose client sends one request again and again.
func (d *desk) repeating() *desk {
	next := *d
	r := scope.Request{Tenant: d.tenant.Tenant, Caller: d.caller, Retry: &scope.Retry{Key: "again"}}
	next.run = op.NewRunner(r, d.tenant.Unit(), optest.Allow{}, d.records, d.clock, id.System{}, slog.New(slog.DiscardHandler)).Remember(&answer{})
	next.Files = service.New(next.run, next.policy, next.parties)
	return &next
}

// TestADeclarationAgainLinksToWhatStillWaits: where the upload was given up or
// is over, a link would store content that nobody counts.
func TestADeclarationAgainLinksToWhatStillWaits(t *testing.T) {
	t.Parallel()
	for name, end := range map[string]func(*desk, service.Sending){
		"aborted": func(d *desk, s service.Sending) {
			if err := d.Abort(d.t.Context(), s.File.ID); err != nil {
				d.t.Fatal(err)
			}
		},
		"uploaded": func(d *desk, s service.Sending) {
			if _, err := d.upload(s.File, "hello"); err != nil {
				d.t.Fatal(err)
			}
		},
		"refused": func(d *desk, s service.Sending) {
			if status := send(d.t, *s.Link, []byte("hello")); status >= 300 {
				d.t.Fatalf("sent: %d", status)
			}
			strict := d.with(func(p *domain.Policy, _ *service.Parties) { p.Types = []string{"image/*"} })
			if _, err := strict.Complete(d.t.Context(), s.File.ID); err == nil {
				d.t.Fatal("not refused")
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := newDesk(t).with(direct)
			again, in := d.repeating(), domain.Declaration{Name: "a", Size: 5}
			first := again.declare(in)
			if s := again.declare(in); s.File.ID != first.File.ID || s.Link == nil {
				t.Fatalf("while it waits: %+v", s)
			}
			end(d, first)
			if s := again.declare(in); s.File.ID != first.File.ID || s.Link != nil {
				t.Errorf("afterwards: %+v", s)
			}
		})
	}
}
