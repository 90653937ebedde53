package service

import (
	"context"

	"github.com/google/uuid"

	"github.com/insulahq/insula/modules/files/domain"
	"github.com/insulahq/insula/platform/op"
	"github.com/insulahq/insula/platform/uow"
)

// Delete and Undelete remove files and bring them back.
var (
	Delete   = op.Write("files.delete", "Delete a file; delete it again to be rid of it for good.", op.About("file"), op.OwnerToo)
	Undelete = op.Write("files.undelete", "Bring a deleted file back.", op.About("file"))
)

// Delete removes a file with its earlier versions, or one earlier version
// alone. It can be brought back until its retention is over; until then it
// takes up room. What is deleted already, or was never readable, goes for
// good. Version is the one the caller read; domain.AnyVersion means whichever
// is current. It returns errs.ErrPreconditionFailed when it no longer is. Who
// may delete what is theirs alone deletes nothing where an earlier version is
// somebody else's.
func (s *Files) Delete(ctx context.Context, id uuid.UUID, version int64) error {
	_, err := op.Do(ctx, s.run, Delete.On(id.String()), func(tx uow.Tx) (domain.File, error) {
		f, err := s.lockAt(ctx, tx, id, version)
		if err != nil {
			return f, err
		}
		if f.Kept() && s.policy.Retention > 0 {
			tx.Trail().Changed(f.View(), f.Bin(s.Clock.Now()).View())
			return f, s.bin(ctx, tx, f)
		}
		tx.Trail().Changed(f.View(), nil)
		return f, s.purge(ctx, tx, f)
	})
	return err
}

// bin deletes a file and its earlier versions so that they can come back.
func (s *Files) bin(ctx context.Context, tx uow.Tx, f domain.File) error {
	all, err := s.together(ctx, tx, f)
	if err != nil {
		return err
	}
	now := s.Clock.Now()
	for _, g := range all {
		if !g.Kept() {
			continue
		}
		if err := tx.Trail().OwnedBy(g.OwnerID); err != nil {
			return err
		}
		if _, err := s.Keep.Update(ctx, tx, g.Bin(now)); err != nil {
			return err
		}
	}
	return nil
}

// purge removes for good a file and the versions that were deleted with it.
// Those that were deleted apart are kept for their own time.
func (s *Files) purge(ctx context.Context, tx uow.Tx, f domain.File) error {
	all, err := s.together(ctx, tx, f)
	if err != nil {
		return err
	}
	for _, g := range all {
		if f.Status == domain.Deleted && !g.DeletedWith(f) {
			continue
		}
		if err := tx.Trail().OwnedBy(g.OwnerID); err != nil {
			return err
		}
		if err := s.forget(ctx, tx, g); err != nil {
			return err
		}
	}
	return nil
}

// together is what shares the fate of a file, itself included: its earlier
// versions, where it carries the name.
func (s *Files) together(ctx context.Context, tx uow.Tx, f domain.File) ([]domain.File, error) {
	if f.Earlier() || !f.Kept() && f.Status != domain.Deleted {
		return []domain.File{f}, nil
	}
	return s.Keep.LockLine(ctx, tx, f.Line)
}

// Undelete brings a deleted file back, with the earlier versions that were
// deleted with it. domain.ErrNameTaken when another file has its name by now.
// Where another version of the same file has it, the one that comes back is an
// earlier version; an earlier version whose newest one is gone takes the name.
func (s *Files) Undelete(ctx context.Context, id uuid.UUID) (domain.File, error) {
	return op.Do(ctx, s.run, Undelete.On(id.String()), func(tx uow.Tx) (domain.File, error) {
		f, err := s.lockAt(ctx, tx, id, domain.AnyVersion)
		if err != nil {
			return f, err
		}
		back, err := f.Undelete(s.Clock.Now())
		if err != nil {
			return f, err
		}
		if back, err = s.placeAgain(ctx, tx, back); err != nil {
			return f, err
		}
		if err := s.undeleteOthers(ctx, tx, f); err != nil {
			return f, err
		}
		tx.Trail().Changed(f.View(), back.View())
		return s.Keep.Update(ctx, tx, back)
	})
}

// placeAgain finds the place of a version that comes back: it heads its line
// where nothing does, and is an earlier version where something does.
func (s *Files) placeAgain(ctx context.Context, tx uow.Tx, back domain.File) (domain.File, error) {
	if err := s.nameFree(ctx, tx, back); err != nil {
		return back, err
	}
	_, headed, err := s.head(ctx, tx, back.Line)
	switch {
	case err != nil:
		return back, err
	case headed && !back.Earlier():
		return back.Supersede(s.Clock.Now()), nil
	case !headed && back.Earlier():
		return back.Lead(s.Clock.Now()), nil
	}
	return back, nil
}

func (s *Files) undeleteOthers(ctx context.Context, tx uow.Tx, f domain.File) error {
	if f.Earlier() {
		return nil
	}
	line, err := s.Keep.LockLine(ctx, tx, f.Line)
	if err != nil {
		return err
	}
	for _, g := range line {
		if g.ID == f.ID || !g.DeletedWith(f) {
			continue
		}
		back, err := g.Undelete(s.Clock.Now())
		if err != nil {
			return err
		}
		if _, err := s.Keep.Update(ctx, tx, back); err != nil {
			return err
		}
	}
	return nil
}
