package service

import (
	"context"

	"github.com/google/uuid"

	"github.com/insulahq/insula/modules/files/domain"
	"github.com/insulahq/insula/platform/op"
	"github.com/insulahq/insula/platform/uow"
)

// Update and Restore change what is known of files.
var (
	Update  = op.Write("files.update", "Rename or move a file, or change what is noted beside it.", op.About("file"))
	Restore = op.Write("files.restore", "Make an earlier version of a file the current one.", op.About("file"))
)

// Update changes a file; its earlier versions move with it. Version is the one
// the caller read. domain.ErrNameTaken when another file has the name.
func (s *Files) Update(ctx context.Context, id uuid.UUID, version int64, c domain.Change) (domain.File, error) {
	return op.Do(ctx, s.run, Update.On(id.String()), func(tx uow.Tx) (domain.File, error) {
		before, err := s.lockAt(ctx, tx, id, version)
		if err != nil {
			return before, err
		}
		after, err := before.Change(c, s.Clock.Now())
		if err != nil {
			return before, err
		}
		tx.Trail().Changed(before.View(), after.View())
		if c.Moves() {
			if err := s.moveOthers(ctx, tx, after); err != nil {
				return before, err
			}
		}
		return s.Keep.Update(ctx, tx, after)
	})
}

// lockAt locks a file at the version that the caller read, and says whose it
// is.
func (s *Files) lockAt(ctx context.Context, tx uow.Tx, id uuid.UUID, version int64) (domain.File, error) {
	f, err := s.lockFile(ctx, tx, id)
	if err != nil {
		return f, err
	}
	if err := tx.Trail().OwnedBy(f.OwnerID); err != nil {
		return f, err
	}
	tx.Trail().On("file", id.String(), f.Name)
	return f, f.At(version)
}

// moveOthers lets the earlier versions follow the newest one.
func (s *Files) moveOthers(ctx context.Context, tx uow.Tx, newest domain.File) error {
	line, err := s.Keep.LockLine(ctx, tx, newest.Line)
	if err != nil {
		return err
	}
	for _, g := range line {
		if g.ID == newest.ID {
			continue
		}
		if _, err := s.Keep.Update(ctx, tx, g.Follow(newest)); err != nil {
			return err
		}
	}
	return nil
}

// Restore makes an earlier version the one that carries the name, and that
// which did an earlier one. domain.ErrNameTaken when another file has the name.
func (s *Files) Restore(ctx context.Context, id uuid.UUID) (domain.File, error) {
	return op.Do(ctx, s.run, Restore.On(id.String()), func(tx uow.Tx) (domain.File, error) {
		before, err := s.lockAt(ctx, tx, id, domain.AnyVersion)
		if err != nil {
			return before, err
		}
		now := s.Clock.Now()
		after, err := before.Restore(now)
		if err != nil {
			return before, err
		}
		if err := s.nameFree(ctx, tx, before); err != nil {
			return before, err
		}
		head, found, err := s.head(ctx, tx, before.Line)
		if err != nil {
			return before, err
		}
		if found {
			if _, err := s.Keep.Update(ctx, tx, head.Supersede(now)); err != nil {
				return before, err
			}
		}
		tx.Trail().Changed(before.View(), after.View())
		return s.Keep.Update(ctx, tx, after)
	})
}

// lockFile locks the usage and then a file, in the order that everybody keeps
// who may go on to lock more files or to change the room that they take.
func (s *Files) lockFile(ctx context.Context, tx uow.Tx, id uuid.UUID) (domain.File, error) {
	if err := s.Keep.LockUsage(ctx, tx); err != nil {
		return domain.File{}, err
	}
	return s.Keep.Lock(ctx, tx, id)
}
