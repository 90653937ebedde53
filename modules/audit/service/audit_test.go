package service_test

import (
	"errors"
	"log/slog"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/insulahq/insula/modules/audit/domain"
	"github.com/insulahq/insula/modules/audit/infra"
	"github.com/insulahq/insula/modules/audit/service"
	"github.com/insulahq/insula/platform/authn"
	"github.com/insulahq/insula/platform/clock"
	"github.com/insulahq/insula/platform/id"
	"github.com/insulahq/insula/platform/op"
	"github.com/insulahq/insula/platform/optest"
	"github.com/insulahq/insula/platform/page"
	"github.com/insulahq/insula/platform/pgtest"
	"github.com/insulahq/insula/platform/scope"
)

func TestMain(m *testing.M) { pgtest.Main(m) }

// serve makes the service with the real recorder behind it.
func serve(f pgtest.Fixture, c clock.Clock) *service.Audit {
	run, _ := asAda(f, c)
	return service.NewAudit(run, infra.NewRepository())
}

// asAda is a request that may do everything.
func asAda(f pgtest.Fixture, c clock.Clock) (*op.Runner, scope.Request) {
	r := scope.Request{Tenant: f.Tenant, Caller: authn.Caller{Kind: authn.User, Label: "ada@example.com"}}
	return op.NewRunner(r, f.Unit(), optest.Allow{}, infra.NewRecorder(infra.NewBell(), nil), c, id.System{}, slog.New(slog.DiscardHandler)), r
}

func TestReadingTheTrailIsItselfRecorded(t *testing.T) {
	t.Parallel()
	f, c := pgtest.Tenant(t), clock.At(time.Date(2026, 5, 4, 12, 0, 0, 0, time.UTC))
	list := func() []domain.Event {
		t.Helper()
		c.Advance(time.Second)
		found, err := serve(f, c).List(t.Context(), domain.Spec{}, page.Request{Limit: 10})
		if err != nil {
			t.Fatal(err)
		}
		return found.Items
	}
	if got := list(); len(got) != 0 {
		t.Fatalf("a fresh trail has %+v", got)
	}
	got := list()
	if len(got) != 1 || got[0].Operation != "audit.events.list" || got[0].Actor.Label != "ada@example.com" {
		t.Fatalf("got %+v", got)
	}
	first := got[0].ID
	c.Advance(time.Second)
	if e, err := serve(f, c).Get(t.Context(), first); err != nil || e.ID != first {
		t.Fatalf("got %+v, %v", e, err)
	}
	c.Advance(time.Second)
	missing := uuid.Must(uuid.NewV7())
	if _, err := serve(f, c).Get(t.Context(), missing); !errors.Is(err, domain.ErrNotFound) {
		t.Fatalf("got %v, want %v", err, domain.ErrNotFound)
	}
	got = list()
	if len(got) != 4 {
		t.Fatalf("got %d events, want 4", len(got))
	}
	if e := got[0]; e.Outcome != "failed" || e.Code != domain.ErrNotFound.Code || e.Target.ID != missing.String() {
		t.Errorf("the vain look left %+v", e)
	}
	if e := got[1]; e.Outcome != "done" || e.Target != (domain.Target{Kind: "audit_event", ID: first.String()}) {
		t.Errorf("the look at one event left %+v", e)
	}
}
