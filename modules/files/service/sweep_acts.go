package service

import (
	"context"
	"errors"

	"github.com/google/uuid"

	"github.com/insulahq/insula/modules/files/domain"
	"github.com/insulahq/insula/platform/op"
	"github.com/insulahq/insula/platform/uow"
)

// GiveUp, Purge, Requeue, Lose and Find are what a sweep does to files, Clear what it
// has done to the object store.
var (
	GiveUp  = op.Job("files.give_up", "Give up an upload whose time is over.", op.About("file"))
	Purge   = op.Job("files.purge", "Remove for good a file whose retention is over.", op.About("file"))
	Requeue = op.Job("files.requeue", "Have content read again that nobody has decided about.", op.About("file"))
	Lose    = op.Job("files.lose", "Keep a file from being read whose content is lost.", op.About("file"))
	Find    = op.Job("files.find", "Let a file be read again whose lost content has come back.", op.About("file"))
	Clear   = op.Job("files.clear", "Tell how many strays were removed from the object store.", op.About("file_store"))
)

// act does something to a file, unless somebody else has done so already. It
// reports whether it did.
func (s *Files) act(ctx context.Context, tx uow.Tx, id uuid.UUID, do func(domain.File) (bool, error)) (bool, error) {
	f, err := s.lockFile(ctx, tx, id)
	if err != nil {
		return false, err
	}
	tx.Trail().On("file", id.String(), f.Name)
	return do(f)
}

// GiveUp gives up an upload whose time is over, as Abort does.
func (s *Files) GiveUp(ctx context.Context, id uuid.UUID) (bool, error) {
	return op.Do(ctx, s.run, GiveUp.On(id.String()), func(tx uow.Tx) (bool, error) {
		return s.act(ctx, tx, id, func(f domain.File) (bool, error) {
			if f.Status != domain.Pending {
				return false, nil
			}
			u, err := s.Keep.GetUpload(ctx, tx, id)
			if err != nil || u.ExpiresAt.After(s.Clock.Now()) {
				return false, err
			}
			tx.Trail().Changed(f.View(), nil)
			return true, s.forget(ctx, tx, f)
		})
	})
}

// Purge removes a file for good whose retention is over.
func (s *Files) Purge(ctx context.Context, id uuid.UUID) (bool, error) {
	return op.Do(ctx, s.run, Purge.On(id.String()), func(tx uow.Tx) (bool, error) {
		return s.act(ctx, tx, id, func(f domain.File) (bool, error) {
			if f.Status != domain.Deleted || f.DeletedAt.Add(s.policy.Retention).After(s.Clock.Now()) {
				return false, nil
			}
			tx.Trail().Changed(f.View(), nil)
			return true, s.forget(ctx, tx, f)
		})
	})
}

// Requeue has content read again whose reading was given up.
func (s *Files) Requeue(ctx context.Context, id uuid.UUID) (bool, error) {
	return op.Do(ctx, s.run, Requeue.On(id.String()), func(tx uow.Tx) (bool, error) {
		return s.act(ctx, tx, id, func(f domain.File) (bool, error) {
			if f.Status != domain.Scanning {
				return false, nil
			}
			f.UpdatedAt = s.Clock.Now() // the next sweep waits again
			if _, err := s.Keep.Update(ctx, tx, f); err != nil {
				return false, err
			}
			return true, s.Outbox.Put(ctx, tx, Examine, Examination{File: f.ID, Object: f.Object})
		})
	})
}

// Lose keeps a file from being read whose object the store does not have.
func (s *Files) Lose(ctx context.Context, id, object uuid.UUID) (bool, error) {
	return op.Do(ctx, s.run, Lose.On(id.String()), func(tx uow.Tx) (bool, error) {
		return s.act(ctx, tx, id, func(f domain.File) (bool, error) {
			if f.Status != domain.Ready || f.Object != object {
				return false, nil // somebody else has changed it since
			}
			after, err := f.Lose(s.Clock.Now())
			if err != nil {
				return false, err
			}
			tx.Trail().Changed(f.View(), after.View())
			_, err = s.Keep.Update(ctx, tx, after)
			return true, err
		})
	})
}

// Find lets a file be read again whose content was lost, and has come back as
// c. Where another file has taken the name meanwhile, this one and its versions
// become earlier versions of that.
func (s *Files) Find(ctx context.Context, id uuid.UUID, c domain.Content) (bool, error) {
	return op.Do(ctx, s.run, Find.On(id.String()), func(tx uow.Tx) (bool, error) {
		return s.act(ctx, tx, id, func(f domain.File) (bool, error) {
			after, err := f.Find(c, s.Clock.Now())
			if errors.Is(err, domain.ErrFilled) {
				return false, nil
			}
			if err != nil {
				return false, err
			}
			if after, err = s.giveWay(ctx, tx, after); err != nil {
				return false, err
			}
			tx.Trail().Changed(f.View(), after.View())
			_, err = s.Keep.Update(ctx, tx, after)
			return true, err
		})
	})
}

// giveWay makes a file an earlier version of what has its name by now.
func (s *Files) giveWay(ctx context.Context, tx uow.Tx, f domain.File) (domain.File, error) {
	if f.Earlier() {
		return f, nil
	}
	current, err := s.Keep.LockCurrent(ctx, tx, f.Folder, f.Name)
	if errors.Is(err, domain.ErrNotFound) {
		return f, nil
	}
	if err != nil {
		return f, err
	}
	line, err := s.Keep.LockLine(ctx, tx, f.Line)
	if err != nil {
		return f, err
	}
	for _, g := range line {
		if g.ID == f.ID || g.Line == current.Line {
			continue
		}
		g.Line = current.Line
		if _, err := s.Keep.Update(ctx, tx, g); err != nil {
			return f, err
		}
	}
	f.Line = current.Line
	return f.Supersede(s.Clock.Now()), nil
}

// Strays is what the trail sees of what a sweep has removed from the store.
type Strays struct {
	Objects int   `json:"objects"`
	Bytes   int64 `json:"bytes"`
	Parts   int   `json:"uploads_in_parts"`
}

// Clear records what was removed from the tenant's part of the store that no
// file names.
func (s *Files) Clear(ctx context.Context, tenant uuid.UUID, removed Strays) error {
	_, err := op.Do(ctx, s.run, Clear.On(tenant.String()), func(tx uow.Tx) (Strays, error) {
		tx.Trail().Changed(removed, nil)
		return removed, nil
	})
	return err
}
