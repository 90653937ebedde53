package service

import (
	"context"
	"time"

	"github.com/google/uuid"

	"github.com/insulahq/insula/modules/files/domain"
	"github.com/insulahq/insula/platform/op"
	"github.com/insulahq/insula/platform/uow"
)

// Delete removes a file.
var Delete = op.Write("files.delete", "Delete a file and its content.", op.About("file"), op.OwnerToo)

// Delete removes a file, and its content once that is durable. Version is the
// one the caller read; domain.AnyVersion means whichever is current. It returns
// errs.ErrPreconditionFailed when it no longer is.
func (s *Files) Delete(ctx context.Context, id uuid.UUID, version int64) error {
	_, err := op.Do(ctx, s.run, Delete.On(id.String()), func(tx uow.Tx) (domain.File, error) {
		f, err := s.repo.Lock(ctx, tx, id)
		if err != nil {
			return f, err
		}
		if err := tx.Trail().OwnedBy(f.OwnerID); err != nil {
			return f, err
		}
		tx.Trail().On("file", id.String(), f.Name)
		tx.Trail().Changed(f.View(), nil)
		if err := f.At(version); err != nil {
			return f, err
		}
		if f.Object != uuid.Nil {
			tx.AfterCommit(func(ctx context.Context) { s.remove(ctx, f.Object) })
		}
		return f, s.repo.Delete(ctx, tx, f)
	})
	return err
}

// removeTimeout bounds the removal of an object, which no caller waits for.
const removeTimeout = 10 * time.Second

// remove takes away an object that no file names any more. When the store is
// away the object stays behind, unreachable; the log says which.
func (s *Files) remove(ctx context.Context, object uuid.UUID) {
	ctx, cancel := context.WithTimeout(ctx, removeTimeout)
	defer cancel()
	if err := s.contents.Remove(ctx, object); err != nil {
		s.log.WarnContext(ctx, "object left behind", "object", object, "error", err)
	}
}
