package service

import (
	"context"

	"github.com/google/uuid"

	"github.com/insulahq/insula/modules/files/domain"
	"github.com/insulahq/insula/platform/op"
	"github.com/insulahq/insula/platform/uow"
)

// Abort gives up an upload.
var Abort = op.Write("files.abort", "Give up the upload of a declared file.", op.About("file"))

// Abort gives up an upload: the file, the room it had taken and what has
// arrived of its content are gone. domain.ErrFilled when all has arrived.
func (s *Files) Abort(ctx context.Context, id uuid.UUID) error {
	_, err := op.Do(ctx, s.run, Abort.On(id.String()), func(tx uow.Tx) (domain.File, error) {
		f, err := s.lockFile(ctx, tx, id)
		if err != nil {
			return f, err
		}
		tx.Trail().On("file", id.String(), f.Name)
		if f.OwnerID != s.run.Caller().ID {
			return f, domain.ErrNotYours
		}
		if err := f.Expects(-1); err != nil {
			return f, err
		}
		tx.Trail().Changed(f.View(), nil)
		return f, s.forget(ctx, tx, f)
	})
	return err
}

// forget removes a file for good, gives back its room, and removes what the
// store has of it once that is durable. The usage must be locked.
func (s *Files) forget(ctx context.Context, tx uow.Tx, f domain.File) error {
	if f.Status == domain.Pending || f.Status == domain.Scanning {
		u, err := s.Keep.GetUpload(ctx, tx, f.ID)
		if err != nil {
			return err
		}
		s.giveUpLater(tx, u, f.Object)
	}
	s.removeLater(tx, f.Object)
	if err := s.Keep.Delete(ctx, tx, f); err != nil {
		return err
	}
	return s.Keep.Release(ctx, tx, f.Size)
}
