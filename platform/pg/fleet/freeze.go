package fleet

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/insulahq/insula/platform/pg"
	"github.com/insulahq/insula/platform/pg/internal/pgdb"
)

// ErrFrozen refuses to change any schema.
var ErrFrozen = errors.New("the fleet is frozen")

// Freeze says why no schema may be changed, and who said so.
type Freeze struct {
	Reason string    `json:"reason"`
	By     string    `json:"by"`
	At     time.Time `json:"at"`
}

// Freeze keeps every process from beginning with another tenant; the tenants
// that are under way are finished. It fails when the fleet is frozen already.
func (f *Fleet) Freeze(ctx context.Context, reason, by string) error {
	return f.write(ctx, func(db pg.DBTX) error {
		n, err := f.q.Freeze(ctx, db, reason, by, f.clock.Now())
		if err == nil && n == 0 {
			return fmt.Errorf("%w already", ErrFrozen)
		}
		return err
	})
}

// Thaw ends a freeze and reports whether there was one.
func (f *Fleet) Thaw(ctx context.Context) (thawed bool, err error) {
	err = f.write(ctx, func(db pg.DBTX) error {
		n, err := f.q.Thaw(ctx, db)
		thawed = n > 0
		return err
	})
	return thawed, err
}

// Frozen returns the freeze that is in force, nil when there is none.
func (f *Fleet) Frozen(ctx context.Context) (*Freeze, error) {
	var row pgdb.GetFreezeRow
	err := f.read(ctx, func(db pg.DBTX) (err error) {
		row, err = f.q.GetFreeze(ctx, db)
		return err
	})
	if errors.Is(err, pgx.ErrNoRows) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	return &Freeze{Reason: row.Reason, By: row.FrozenBy, At: row.FrozenAt}, nil
}

// open fails with ErrFrozen during a freeze.
func (f *Fleet) open(ctx context.Context) error {
	fr, err := f.Frozen(ctx)
	if err != nil || fr == nil {
		return err
	}
	return fmt.Errorf("%w since %s by %s: %s", ErrFrozen, fr.At.UTC().Format(time.RFC3339), fr.By, fr.Reason)
}
