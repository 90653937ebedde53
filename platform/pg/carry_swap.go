package pg

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/insulahq/insula/platform/uow"
)

// ErrSwapBusy says that somebody holds tables of a schema and does not let them
// go. Nothing has changed.
var ErrSwapBusy = errors.New("the tables of the schema are in use")

// patience is how long a swap waits for tables that somebody uses.
type patience struct {
	lock           time.Duration // for all tables together; whoever comes meanwhile waits too
	pause, longest time.Duration // after a try that failed: at first, and at most
	tries          int
}

// swapPatience is about ten minutes. What is done in a moment is waited for; a
// long report, or somebody who looks at the tables by hand, is come back to. A
// vacuum of the server's own is stopped by the tries that wait patiently.
var swapPatience = patience{lock: 300 * time.Millisecond, pause: 200 * time.Millisecond, longest: 5 * time.Second, tries: 120}

// waits is for how long a try waits for all tables.
func (p patience) waits(try int) time.Duration {
	if try%patientAttempt == 0 {
		return max(p.lock, patientWait)
	}
	return p.lock
}

// Replace puts a complete schema in the place of another of the same version:
// the tables whose rows last move over with them, and also, which runs in the
// same transaction, has the registry name the new schema. Units of work that
// are under way in the old one end first, or begin again in the new one. Tables
// that are in use are tried again, for as long as patience lasts: ErrSwapBusy.
func (c *Carrier) Replace(ctx context.Context, from, to string, also func(tx uow.Tx) error) error {
	pause := c.patience.pause
	for try := 1; ; try++ {
		err := owned(ctx, c.m.pool, func(tx pgx.Tx, owner *ownerTx) error {
			return c.swap(ctx, tx, from, to, c.patience.waits(try), func() error { return also(owner) })
		})
		switch {
		case err == nil || !repeatable(err):
			return Translate(err, nil, nil)
		case try == c.patience.tries:
			return fmt.Errorf("%w: %w", ErrSwapBusy, err)
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(pause):
			pause = min(pause*3/2, c.patience.longest)
		}
	}
}

// swap is one try of Replace. All locks come first, within one bound: nobody else
// waits for longer than that.
func (c *Carrier) swap(ctx context.Context, tx pgx.Tx, from, to string, wait time.Duration, also func() error) error {
	if err := c.current(ctx, tx, from, to); err != nil {
		return err
	}
	tables, err := tablesIn(ctx, tx, to)
	if err != nil {
		return err
	}
	tables = slices.DeleteFunc(tables, func(t Table) bool { return !t.Lasting })
	until := time.Now().Add(wait)
	for _, t := range tables {
		err := execAll(ctx, tx, []string{
			"SET LOCAL lock_timeout = " + milliseconds(max(time.Until(until), time.Millisecond)),
			"LOCK TABLE " + pgx.Identifier{from, t.Name}.Sanitize() + " IN ACCESS EXCLUSIVE MODE",
		})
		if err != nil {
			return err
		}
	}
	for _, t := range tables {
		is := pgx.Identifier{to, t.Name}.Sanitize()
		err := execAll(ctx, tx, []string{
			"DROP TABLE " + is,
			"ALTER TABLE " + pgx.Identifier{from, t.Name}.Sanitize() + " SET SCHEMA " + ident(to),
			"REVOKE ALL ON " + is + " FROM " + ident(c.m.roles.of(from)),
		})
		if err != nil {
			return err
		}
	}
	if err := grantTenant(ctx, tx, to, c.m.roles); err != nil {
		return err
	}
	return also()
}

// current keeps schemas at the version that this process brings them to until
// the end of the transaction. A process of a newer release may have migrated
// one of them, whose tables would not fit the other any more: migrate.ErrNewer.
func (c *Carrier) current(ctx context.Context, tx pgx.Tx, schemas ...string) error {
	for _, schema := range schemas {
		if _, err := c.m.tenant.Apply(ctx, tx, schema); err != nil { // which takes the lock of the schema's migrations
			return err
		}
	}
	return nil
}
