package service

import (
	"context"
	"io"

	"github.com/google/uuid"

	"github.com/insulahq/insula/modules/files/domain"
	"github.com/insulahq/insula/platform/op"
	"github.com/insulahq/insula/platform/page"
	"github.com/insulahq/insula/platform/uow"
)

// Get, List and Download read files.
var (
	Get      = op.Read("files.get", "See what is known of a file.", op.About("file"), op.OwnerToo)
	List     = op.Read("files.list", "See which files there are.", op.About("file"))
	Download = op.Read("files.download", "Read the content of a file.", op.About("file"), op.OwnerToo)
)

// Get shows one file.
func (s *Files) Get(ctx context.Context, id uuid.UUID) (domain.File, error) {
	return op.Do(ctx, s.run, Get.On(id.String()), func(tx uow.Tx) (domain.File, error) {
		f, err := s.repo.Get(ctx, tx, id)
		if err != nil {
			return f, err
		}
		return f, tx.Trail().OwnedBy(f.OwnerID)
	})
}

// List pages through the files, newest first.
func (s *Files) List(ctx context.Context, spec domain.Spec, r page.Request) (page.Page[domain.File], error) {
	return op.Do(ctx, s.run, List, func(tx uow.Tx) (page.Page[domain.File], error) {
		return s.repo.List(ctx, tx, spec, r)
	})
}

// Reading is a file that the caller may read.
type Reading struct {
	File domain.File
	// Open reads length bytes from an offset on, after the operation is over
	// and without a database connection.
	Open func(ctx context.Context, from, length int64) (io.ReadCloser, error)
}

// Download lets the caller read the content of a file; domain.ErrNotReady
// while there is none to be read.
func (s *Files) Download(ctx context.Context, id uuid.UUID) (Reading, error) {
	return op.Do(ctx, s.run, Download.On(id.String()), func(tx uow.Tx) (Reading, error) {
		f, err := s.repo.Get(ctx, tx, id)
		if err != nil {
			return Reading{}, err
		}
		if err := tx.Trail().OwnedBy(f.OwnerID); err != nil {
			return Reading{}, err
		}
		return Reading{File: f, Open: func(ctx context.Context, from, length int64) (io.ReadCloser, error) {
			return s.contents.Open(ctx, f.Object, from, length)
		}}, f.Readable()
	})
}
