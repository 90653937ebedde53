package service

import (
	"context"

	"github.com/insulahq/insula/modules/files/domain"
	"github.com/insulahq/insula/platform/op"
	"github.com/insulahq/insula/platform/uow"
)

// Create declares a file whose content follows.
var Create = op.Write("files.create", "Declare a file to be uploaded.", op.About("file"))

// NewFile is what is declared of a file before it is uploaded.
type NewFile struct {
	Name        string
	Size        int64 // in bytes
	ContentType string
}

// Create declares a file, owned by the caller. It waits for its content until
// Upload brings it.
func (s *Files) Create(ctx context.Context, in NewFile) (domain.File, error) {
	return op.Do(ctx, s.run, Create, func(tx uow.Tx) (domain.File, error) {
		owner := s.run.Caller().ID
		f, err := domain.Declare(s.ids.New(), owner, in.Name, in.Size, in.ContentType, int64(s.max), s.clock.Now())
		if err != nil {
			return f, err
		}
		tx.Trail().On("file", f.ID.String(), f.Name)
		tx.Trail().Changed(nil, f.View())
		return f, s.repo.Insert(ctx, tx, f)
	})
}
