package infra

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/insulahq/insula/modules/tenants/domain"
	"github.com/insulahq/insula/modules/tenants/infra/internal/tenantsdb"
	"github.com/insulahq/insula/platform/errs"
	"github.com/insulahq/insula/platform/pg"
	"github.com/insulahq/insula/platform/uow"
)

// Hold keeps a copy at its step for the attempt that c is of, until the end of
// the transaction; domain.ErrOvertaken when it is another's, or elsewhere. The
// lock that an attempt has may be lost without its knowing, so every transaction
// that decides something begins with this.
func (l *Copies) Hold(ctx context.Context, tx uow.Tx, c domain.Copy, at domain.CopyStep) error {
	return pg.Translate(l.hold(ctx, pg.DB(tx), c, at), nil, nil)
}

func (l *Copies) hold(ctx context.Context, db pg.DBTX, c domain.Copy, at domain.CopyStep) error {
	step, err := l.stepOf(ctx, db, c)
	if err == nil && step != at {
		err = domain.ErrOvertaken
	}
	return err
}

// stepOf locks a copy and tells its step, if the attempt still has it.
func (l *Copies) stepOf(ctx context.Context, db pg.DBTX, c domain.Copy) (domain.CopyStep, error) {
	row, err := l.q.HoldCopy(ctx, db, c.Operation)
	switch {
	case errors.Is(err, pgx.ErrNoRows), err == nil && int(row.Attempts) != c.Attempts:
		return "", domain.ErrOvertaken
	case err != nil:
		return "", err
	}
	return domain.CopyStep(row.Step), nil
}

// held is write for what only the attempt that has the copy may do.
func (l *Copies) held(ctx context.Context, c domain.Copy, at domain.CopyStep, fn func(db pg.DBTX) error) error {
	return l.write(ctx, func(db pg.DBTX) error {
		if err := l.hold(ctx, db, c, at); err != nil {
			return err
		}
		return fn(db)
	})
}

// Note tells clients why the attempt failed and, when undo says so, has the
// work undone from then on. It reports whether it has: work that succeeded
// before the attempt failed stays, and so does what is left of it to do.
func (l *Copies) Note(ctx context.Context, c domain.Copy, cause error, undo bool) (undoing bool, err error) {
	err = l.write(ctx, func(db pg.DBTX) error {
		step, err := l.stepOf(ctx, db, c)
		if err != nil {
			return err
		}
		if undoing = undo && step == domain.Copying; undoing {
			err = l.q.SetCopyStep(ctx, db, string(domain.Undoing), c.Operation)
		}
		return errors.Join(err, l.note(ctx, db, c, cause))
	})
	return undoing && err == nil, err
}

func (l *Copies) note(ctx context.Context, db pg.DBTX, c domain.Copy, cause error) error {
	e, ok := errs.As(cause)
	if !ok {
		e = errs.ErrInternal
	}
	return l.q.NoteOperation(ctx, db, tenantsdb.NoteOperationParams{
		ErrorCode: e.Code, ErrorDetail: e.Detail, UpdatedAt: l.clock.Now(), ID: c.Operation,
	})
}

// Packed ends a backup that has become an archive.
func (l *Copies) Packed(ctx context.Context, c domain.Copy, p domain.Packed) error {
	return l.held(ctx, c, domain.Copying, func(db pg.DBTX) error {
		n, err := l.q.CompleteBackup(ctx, db, tenantsdb.CompleteBackupParams{
			SchemaVersion: p.SchemaVersion, RowCount: p.Rows, FileCount: p.Files, FileBytes: p.FileBytes, Size: p.Size, Sha256: p.SHA256,
			SnapshotAt: &p.At, UpdatedAt: l.clock.Now(), ID: *c.Backup,
		})
		if err == nil && n == 0 {
			err = domain.ErrNoBackup
		}
		return errors.Join(err, l.succeed(ctx, db, c))
	})
}

// Founded ends the copy that has made a new tenant, in the transaction that
// completes its schema; elsewhere it is for Follow to do that.
func (l *Copies) Founded(ctx context.Context, tx uow.Tx, c domain.Copy, version int64) error {
	if err := l.Hold(ctx, tx, c, domain.Copying); err != nil {
		return err
	}
	db := pg.DB(tx)
	if c.Elsewhere() {
		return l.arrive(ctx, db, c, domain.NewSchema(c.Target), version)
	}
	n, err := l.q.FoundTenant(ctx, db, tenantsdb.FoundTenantParams{
		SchemaName: c.Schema, SchemaVersion: version, UpdatedAt: l.clock.Now(), ID: c.Target,
	})
	if err == nil && n == 0 {
		err = domain.ErrReplaced
	}
	return errors.Join(pg.Translate(err, nil, nil), l.succeed(ctx, db, c))
}

// Replaced has the registry name the new schema of a tenant, in the
// transaction that puts it in the place of the old one. domain.ErrReplaced
// says that the tenant is not as it was when the work began. Elsewhere it is the
// entry in the placement that names it, and the registry is to follow.
func (l *Copies) Replaced(ctx context.Context, tx uow.Tx, c domain.Copy, version int64) error {
	if err := l.Hold(ctx, tx, c, domain.Copying); err != nil {
		return err
	}
	db := pg.DB(tx)
	if c.Elsewhere() {
		return l.arrive(ctx, db, c, c.OldSchema, version)
	}
	n, err := l.q.ReplaceSchema(ctx, db, tenantsdb.ReplaceSchemaParams{
		SchemaName: c.Schema, SchemaVersion: version, UpdatedAt: l.clock.Now(), ID: c.Target, OldSchema: c.OldSchema,
	})
	if err != nil {
		return pg.Translate(err, nil, nil)
	}
	if n == 0 {
		return domain.ErrReplaced
	}
	return l.q.SetCopyStep(ctx, db, string(domain.Cleaning), c.Operation)
}

// Moved keeps what a move has come to. The tenant works in its new place.
func (l *Copies) Moved(ctx context.Context, c domain.Copy, m domain.Moved) error {
	text, err := json.Marshal(m)
	if err != nil {
		return fmt.Errorf("result of a move: %w", err)
	}
	return l.held(ctx, c, domain.Copying, func(db pg.DBTX) error {
		return errors.Join(l.q.KeepResult(ctx, db, text, c.Operation), l.q.SetCopyStep(ctx, db, string(domain.Cleaning), c.Operation))
	})
}

// Cleaned ends a copy after which nothing is left to take away. With a cause it
// has failed: what it did stays, and is less than what it was to do.
func (l *Copies) Cleaned(ctx context.Context, c domain.Copy, cause error) error {
	return l.held(ctx, c, domain.Cleaning, func(db pg.DBTX) error {
		if cause == nil {
			return l.succeed(ctx, db, c)
		}
		return errors.Join(l.note(ctx, db, c, cause), l.fail(ctx, db, c))
	})
}

// Undone ends a copy that failed and has left nothing.
func (l *Copies) Undone(ctx context.Context, c domain.Copy) error {
	return l.held(ctx, c, domain.Undoing, func(db pg.DBTX) error {
		if _, err := l.q.LockTenant(ctx, db, c.Target); err != nil && !errors.Is(err, pgx.ErrNoRows) {
			return err // nobody brings its entry back to a placement meanwhile
		}
		err := errors.Join(l.leave(ctx, c), l.fail(ctx, db, c))
		if c.New() {
			err = errors.Join(err, l.q.ForgetTenant(ctx, db, c.Target))
		}
		if c.Kind == domain.CopyOut {
			err = errors.Join(err, l.q.FailBackup(ctx, db, l.clock.Now(), *c.Backup))
		}
		return err
	})
}

// GaveUp ends a move as was decided; note is the id under which it is noted
// that a placement keeps something.
func (l *Copies) GaveUp(ctx context.Context, c domain.Copy, e domain.Ending, note uuid.UUID) error {
	return l.held(ctx, c, c.Step, func(db pg.DBTX) (err error) {
		if e.Failed {
			err = l.note(ctx, db, c, domain.ErrGivenUp)
		}
		if e.Remains != "" {
			err = errors.Join(err, l.q.NoteRemains(ctx, db, tenantsdb.NoteRemainsParams{
				ID: note, TenantID: c.Target, Placement: e.Remains, SchemaName: c.Schema, NotedAt: l.clock.Now(),
			}))
		}
		switch {
		case e.Step != domain.Over:
			return errors.Join(err, l.q.SetCopyStep(ctx, db, string(e.Step), c.Operation))
		case e.Failed:
			return errors.Join(err, l.fail(ctx, db, c))
		}
		return errors.Join(err, l.succeed(ctx, db, c))
	})
}

// Forget ends a backup whose archive is gone.
func (l *Copies) Forget(ctx context.Context, backup uuid.UUID) error {
	return l.write(ctx, func(db pg.DBTX) error { return l.q.ForgetBackup(ctx, db, backup) })
}

func (l *Copies) succeed(ctx context.Context, db pg.DBTX, c domain.Copy) error {
	return errors.Join(l.q.SucceedOperation(ctx, db, l.clock.Now(), c.Operation), l.over(ctx, db, c))
}

func (l *Copies) fail(ctx context.Context, db pg.DBTX, c domain.Copy) error {
	return errors.Join(l.q.FailOperation(ctx, db, l.clock.Now(), c.Operation), l.over(ctx, db, c))
}

func (l *Copies) over(ctx context.Context, db pg.DBTX, c domain.Copy) error {
	return l.q.SetCopyStep(ctx, db, string(domain.Over), c.Operation)
}
