package infra_test

import (
	"context"
	"log/slog"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/insulahq/insula/modules/audit/domain"
	"github.com/insulahq/insula/modules/audit/infra"
	"github.com/insulahq/insula/platform/authn"
	"github.com/insulahq/insula/platform/clock"
	"github.com/insulahq/insula/platform/id"
	"github.com/insulahq/insula/platform/op"
	"github.com/insulahq/insula/platform/page"
	"github.com/insulahq/insula/platform/pg"
	"github.com/insulahq/insula/platform/pgtest"
	"github.com/insulahq/insula/platform/scope"
	"github.com/insulahq/insula/platform/uow"
)

func TestMain(m *testing.M) { pgtest.Main(m) }

var (
	recorder   = infra.NewRecorder(infra.NewBell(), nil)
	repository = infra.NewRepository()
	noon       = time.Date(2026, 5, 4, 12, 0, 0, 123456000, time.UTC)
)

// verdict decides everything alike.
type verdict bool

func (v verdict) Decide(scope.Request, op.Def) op.Decision {
	return op.Decision{Allow: bool(v), Rule: "verdict"}
}

// run runs operations of a caller with the real recorder.
func run(f pgtest.Fixture, c authn.Caller, v verdict) *op.Runner {
	r := scope.Request{Tenant: f.Tenant, Caller: c}
	return op.NewRunner(r, f.Unit(), v, recorder, clock.At(noon), id.System{}, slog.New(slog.DiscardHandler))
}

// trail lists all events of a tenant, the newest first.
func trail(t *testing.T, f pgtest.Fixture) []domain.Event {
	t.Helper()
	return search(t, f, domain.Spec{}).Items
}

func search(t *testing.T, f pgtest.Fixture, s domain.Spec) (found page.Page[domain.Event]) {
	t.Helper()
	f.Read(t, func(tx uow.Tx) (err error) {
		found, err = repository.List(t.Context(), tx, s, page.Request{Limit: 1000})
		return err
	})
	return found
}

// addWork is a change that others can see.
func addWork(ctx context.Context, tx uow.Tx) error {
	_, err := pg.DB(tx).Exec(ctx, `INSERT INTO outbox (id, operation, args, run_at) VALUES ($1, 'things.make', '{}', $2)`, uuid.Must(uuid.NewV7()), noon)
	return err
}

func countWork(t *testing.T, f pgtest.Fixture) (n int) {
	t.Helper()
	f.Read(t, func(tx uow.Tx) error {
		return pg.DB(tx).QueryRow(t.Context(), `SELECT count(*) FROM outbox`).Scan(&n)
	})
	return n
}
