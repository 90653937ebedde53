package pg

import (
	"context"
	"errors"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/insulahq/insula/platform/errs"
	"github.com/insulahq/insula/platform/pg/internal/pgdb"
	"github.com/insulahq/insula/platform/tenancy"
)

// search is how a unit of work finds a tenant that is not where it was looked
// for: it has moved to another placement since, or it is just being moved and,
// for some milliseconds, open nowhere. Nobody who asks hears of it.
//
// It goes by the registry of the main placement, which says where each tenant
// is. What was begun has not run, or is rolled back, and begins again.
type search struct {
	unit     *unit
	opening  string // which statuses let it in
	until    time.Time
	pause    time.Duration
	replaced int
}

const (
	// searchFor bounds the wait for a tenant that is open nowhere, or whose writers
	// wait. A move lets them in again, or gives up, before that (see MoveOptions);
	// if it takes longer, clients are told to come back.
	searchFor = 9 * time.Second
	// firstPause grows with each look, up to the longest.
	firstPause   = 2 * time.Millisecond
	longestPause = 100 * time.Millisecond
)

// astray reports that a tenant, or a table, was not there any more.
func astray(err error) bool { return errors.Is(err, errClosed) || replaced(err) }

// after returns nil when what ended with err is to be tried again now, and
// otherwise what to answer. It waits where a look at once would find the same.
func (s *search) after(ctx context.Context, err error) error {
	switch {
	case s.unit.tenant == nil || !astray(err):
		return err
	case replaced(err):
		if s.replaced++; s.replaced < writeAttempts {
			return nil
		}
		return err
	}
	row, err := s.unit.status(ctx)
	switch {
	case errors.Is(err, pgx.ErrNoRows):
		return tenancy.ErrUnknown
	case err != nil:
		return Translate(err, nil, nil)
	case !s.admits(row):
		return s.unit.refusal(row)
	}
	if s.until.IsZero() {
		s.until, s.pause = time.Now().Add(searchFor), firstPause
	}
	if row.Placement != s.unit.placement && time.Now().Before(s.until) {
		return s.unit.turn(row.Placement)
	}
	return s.wait(ctx)
}

// admits reports whether the tenant is to be found open sooner or later.
func (s *search) admits(row pgdb.TenantStatusRow) bool {
	if row.SchemaVersion < s.unit.floor {
		return false
	}
	switch tenancy.Status(row.Status) {
	case tenancy.Active:
		return true
	case tenancy.Suspended, tenancy.Deleting:
		return s.opening == pgdb.OpenRecord || s.opening == pgdb.OpenLook
	}
	return false
}

func (s *search) wait(ctx context.Context) error {
	if time.Now().Add(s.pause).After(s.until) {
		return errs.ErrUnavailable.Because(errClosed)
	}
	timer := time.NewTimer(s.pause)
	defer timer.Stop()
	s.pause = min(s.pause*3/2, longestPause)
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-timer.C:
		return nil
	}
}

// turn sends the unit of work to another placement, and has forgotten what is
// remembered of the tenant.
func (u *unit) turn(placement string) error {
	if fn := u.pool.strays.Load(); fn != nil {
		(*fn)(*u.tenant)
	}
	to := u.pool.at(placement)
	if to == nil {
		return tenancy.ErrUnplaced
	}
	u.shards, u.placement = to, placement
	return nil
}

// refusal says why a tenant is not open, and will not be in a moment.
func (u *unit) refusal(row pgdb.TenantStatusRow) error {
	status := tenancy.Status(row.Status)
	switch {
	case row.SchemaVersion < u.floor && (status == tenancy.Active || status == tenancy.Suspended):
		return tenancy.ErrOutdated
	case status == tenancy.Suspended:
		return tenancy.ErrSuspended
	case status == tenancy.Provisioning:
		return errs.ErrUnavailable.Because(errClosed) // it will open
	}
	return tenancy.ErrUnknown
}

// status is what the registry says, which the main placement has. It is asked
// only where a tenant did not open: that is rare enough for a query of its own.
func (u *unit) status(ctx context.Context) (pgdb.TenantStatusRow, error) {
	c, err := u.pool.shards.acquire(ctx, nil)
	if err != nil {
		return pgdb.TenantStatusRow{}, err
	}
	defer c.Release()
	return pgdb.New().TenantStatus(ctx, c, *u.tenant)
}
