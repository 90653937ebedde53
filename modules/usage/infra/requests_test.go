package infra_test

import (
	"context"
	"errors"
	"log/slog"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/insulahq/insula/modules/usage"
	"github.com/insulahq/insula/modules/usage/domain"
	"github.com/insulahq/insula/modules/usage/infra"
	"github.com/insulahq/insula/platform/clock"
	"github.com/insulahq/insula/platform/pg"
	"github.com/insulahq/insula/platform/pgtest"
	"github.com/insulahq/insula/platform/uow"
)

func TestMain(m *testing.M) { pgtest.Main(m) }

const retention = 30 * 24 * time.Hour

var noon = time.Date(2026, 3, 31, 12, 0, 0, 0, time.UTC)

// process is the counter of a process.
func process(control infra.Control, now clock.Clock) *infra.Requests {
	return infra.NewRequests(control, uuid.New(), infra.Counting{Every: time.Second, Retention: retention}, now, slog.New(slog.DiscardHandler))
}

// count counts some requests of a tenant.
func count(r *infra.Requests, tenant uuid.UUID, status, times int) {
	for range times {
		r.Count(tenant, status)
	}
}

func flush(t *testing.T, all ...*infra.Requests) {
	t.Helper()
	for _, r := range all {
		if err := r.Flush(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
}

// sum adds up the days of a tenant.
func sum(t *testing.T, r *infra.Requests, tenant uuid.UUID) (total usage.Day, days int) {
	t.Helper()
	all, err := r.Days(t.Context(), tenant, domain.Span{From: noon.AddDate(-1, 0, 0), To: noon.AddDate(1, 0, 0)})
	if err != nil {
		t.Fatal(err)
	}
	for _, d := range all {
		total.Answered, total.Limited, total.Failed = total.Answered+d.Answered, total.Limited+d.Limited, total.Failed+d.Failed
	}
	return total, len(all)
}

func want(t *testing.T, r *infra.Requests, tenant uuid.UUID, answered, limited, failed int64, days int) {
	t.Helper()
	if got, n := sum(t, r, tenant); got != (usage.Day{Answered: answered, Limited: limited, Failed: failed}) || n != days {
		t.Errorf("%+v on %d days, want %d, %d and %d on %d", got, n, answered, limited, failed, days)
	}
}

func TestProcessesCountTogether(t *testing.T) {
	t.Parallel()
	f, other := pgtest.Tenant(t), pgtest.Tenant(t)
	now := clock.At(noon)
	one, two := process(f.Pool.Control, now), process(f.Pool.Control, now)
	for _, status := range []int{200, 302, 404} { // refusals are answers too
		count(one, f.Tenant.ID, status, 1)
	}
	count(two, f.Tenant.ID, 429, 2)
	count(two, other.Tenant.ID, 503, 1)
	want(t, one, f.Tenant.ID, 0, 0, 0, 0) // nothing was told yet
	flush(t, one, two)
	count(one, f.Tenant.ID, 500, 1)
	now.Advance(24 * time.Hour)
	count(one, f.Tenant.ID, 404, 4)
	flush(t, one, two, one)
	want(t, two, f.Tenant.ID, 7, 2, 1, 2)
	want(t, two, other.Tenant.ID, 0, 0, 1, 1)
}

// deaf hears of no success.
type deaf struct{ uow.Unit }

var errDeaf = errors.New("the answer was lost")

func (d deaf) Write(ctx context.Context, fn func(uow.Tx) error) error {
	return errors.Join(d.Unit.Write(ctx, fn), errDeaf)
}

// TestABatchIsAddedOnce: one that arrived is not added again when only the
// answer was lost, and what was counted meanwhile follows it.
func TestABatchIsAddedOnce(t *testing.T) {
	t.Parallel()
	f := pgtest.Tenant(t)
	lost := true
	r := process(func() pg.ControlUnit {
		u := f.Pool.Control()
		if lost {
			u.Unit = deaf{u.Unit}
		}
		return u
	}, clock.At(noon))
	count(r, f.Tenant.ID, 200, 5)
	for range 2 {
		if err := r.Flush(t.Context()); !errors.Is(err, errDeaf) {
			t.Fatalf("flush: %v", err)
		}
		count(r, f.Tenant.ID, 200, 1)
	}
	lost = false
	flush(t, r)
	want(t, r, f.Tenant.ID, 7, 0, 0, 1)
}

// TestADatabaseThatStopsLosesNoCount: they wait until it is back.
func TestADatabaseThatStopsLosesNoCount(t *testing.T) {
	t.Parallel()
	m := pgtest.OwnMachine(t)
	f := pgtest.TenantIn(t, m.DB)
	r := process(f.Pool.Control, clock.At(noon))
	count(r, f.Tenant.ID, 200, 2)
	flush(t, r)
	count(r, f.Tenant.ID, 200, 3)
	m.Kill(t)
	answered := int64(5)
	for r.Flush(t.Context()) == nil { // what is left of the server goes on for a moment
		count(r, f.Tenant.ID, 200, 1)
		answered++
	}
	count(r, f.Tenant.ID, 429, 4)
	m.Start(t)
	flush(t, r)
	want(t, r, f.Tenant.ID, answered, 4, 0, 1)
}

// TestNobodyElseGetsDays: what was counted for a tenant that is gone, or going,
// is dropped, and holds up nothing.
func TestNobodyElseGetsDays(t *testing.T) {
	t.Parallel()
	f := pgtest.Tenant(t)
	r := process(f.Pool.Control, clock.At(noon))
	gone := uuid.New()
	going := pgtest.Tenant(t)
	err := pgtest.Database(t).Migrator.Control().Write(t.Context(), func(tx uow.Tx) error {
		_, err := pg.DB(tx).Exec(t.Context(), "UPDATE control.tenants SET status = 'erasing' WHERE id = $1", going.Tenant.ID)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	count(r, gone, 200, 1)
	count(r, going.Tenant.ID, 200, 1)
	count(r, f.Tenant.ID, 200, 1)
	flush(t, r)
	want(t, r, gone, 0, 0, 0, 0)
	want(t, r, going.Tenant.ID, 0, 0, 0, 0)
	want(t, r, f.Tenant.ID, 1, 0, 0, 1)
}

func TestDaysEndWithTheirRetention(t *testing.T) {
	t.Parallel()
	f := pgtest.TenantIn(t, pgtest.Own(t)) // others keep theirs
	now := clock.At(noon)
	r := process(f.Pool.Control, now)
	for range 2 {
		count(r, f.Tenant.ID, 200, 1)
		flush(t, r)
		now.Advance(24 * time.Hour)
	}
	now.Advance(retention - 24*time.Hour) // the first day is just past it, the second is not
	for range 2 {
		if err := r.Expire(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	want(t, r, f.Tenant.ID, 1, 0, 0, 1)
	count(r, f.Tenant.ID, 200, 1) // whose last batch is not known any more
	flush(t, r)
	want(t, r, f.Tenant.ID, 2, 0, 0, 2)
}

func TestTheSchemaOfATenantIsMeasured(t *testing.T) {
	t.Parallel()
	f := pgtest.Tenant(t)
	size := func() (bytes int64) {
		f.Read(t, func(tx uow.Tx) error {
			amounts, err := infra.Database{}.Measure(t.Context(), tx)
			if err == nil {
				bytes = amounts[0].Value
			}
			return err
		})
		return bytes
	}
	before := size()
	f.Write(t, func(tx uow.Tx) error {
		_, err := pg.DB(tx).Exec(t.Context(), `INSERT INTO settings (name, value, changed_at)
			SELECT 'test.' || n, to_jsonb(repeat(md5(n::text), 20)), now() FROM generate_series(1, 500) n`)
		return err
	})
	if after := size(); before <= 0 || after < before+300_000 {
		t.Errorf("%d bytes before and %d after 320,000 more", before, after)
	}
}
