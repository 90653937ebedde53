package service

import (
	"context"
	"errors"
	"io"

	"github.com/google/uuid"

	"github.com/insulahq/insula/modules/files/domain"
	"github.com/insulahq/insula/platform/op"
	"github.com/insulahq/insula/platform/page"
	"github.com/insulahq/insula/platform/uow"
)

// Get, List, Folders, Download, Versions and Usage read files.
var (
	Get      = op.Read("files.get", "See what is known of a file.", op.About("file"), op.OwnerToo)
	List     = op.Read("files.list", "See which files there are.", op.About("file"))
	Folders  = op.Read("files.folders", "See which folders there are.")
	Download = op.Read("files.download", "Read the content of a file.", op.About("file"), op.OwnerToo)
	Versions = op.Read("files.versions", "See the versions of a file.", op.About("file"), op.OwnerToo)
	Usage    = op.Read("files.usage", "See how much room the files take up, and how much is left.")
)

// Get shows one file.
func (s *Files) Get(ctx context.Context, id uuid.UUID) (domain.File, error) {
	return op.Do(ctx, s.run, Get.On(id.String()), func(tx uow.Tx) (domain.File, error) {
		return s.owned(ctx, tx, id)
	})
}

// owned finds a file and says whose it is.
func (s *Files) owned(ctx context.Context, tx uow.Tx, id uuid.UUID) (domain.File, error) {
	f, err := s.Keep.Get(ctx, tx, id)
	if err != nil {
		return f, err
	}
	return f, tx.Trail().OwnedBy(f.OwnerID)
}

// List pages through files, in the order of the spec.
func (s *Files) List(ctx context.Context, spec domain.Spec, r page.Request) (page.Page[domain.File], error) {
	return op.Do(ctx, s.run, List, func(tx uow.Tx) (page.Page[domain.File], error) {
		return s.Keep.List(ctx, tx, spec, r)
	})
}

// Folders pages through the paths of the folders right inside one, by name.
func (s *Files) Folders(ctx context.Context, parent string, r page.Request) (page.Page[string], error) {
	return op.Do(ctx, s.run, Folders, func(tx uow.Tx) (page.Page[string], error) {
		return s.Keep.Folders(ctx, tx, parent, r)
	})
}

// Versions pages through the versions of a file, itself included, newest
// first. Who sees it as its owner alone sees those that are theirs.
func (s *Files) Versions(ctx context.Context, id uuid.UUID, r page.Request) (page.Page[domain.File], error) {
	return op.Do(ctx, s.run, Versions.On(id.String()), func(tx uow.Tx) (page.Page[domain.File], error) {
		f, err := s.owned(ctx, tx, id)
		if err != nil {
			return page.Page[domain.File]{}, err
		}
		owner := uuid.Nil
		if tx.Trail().Proven() { // allowed because it is theirs, and the other versions may not be
			owner = f.OwnerID
		}
		return s.Keep.Versions(ctx, tx, f.Line, owner, r)
	})
}

// Room is what files take up, under which policy.
type Room struct {
	domain.Usage
	Policy domain.Policy
}

// Room shows how much room there is.
func (s *Files) Room(ctx context.Context) (Room, error) {
	return op.Do(ctx, s.run, Usage, func(tx uow.Tx) (Room, error) {
		taken, err := s.Keep.Usage(ctx, tx)
		return Room{Usage: taken, Policy: s.policy}, err
	})
}

// opener opens a range of a content. domain.ErrLost when it is not there.
type opener func(ctx context.Context, from, length int64) (io.ReadCloser, error)

// Reading is a file that the caller may read.
type Reading struct {
	File domain.File
	// Open reads length bytes from an offset on, after the operation is over
	// and without a database connection.
	Open opener
	// Link makes a link to the object store, which answers with this
	// Content-Disposition; nil where downloads pass through the server.
	Link func(ctx context.Context, disposition string) (domain.Link, error)
	// Begin must be called when content is about to be sent, or a link to it,
	// and its error refuses that; nil where nobody counts.
	Begin func(ctx context.Context) error
	// Whole says that the content is read as a whole, and not by ranges.
	Whole bool
}

// Download lets the caller read the content of a file; domain.ErrNotReady,
// ErrQuarantined or ErrDeleted when it must not be read.
func (s *Files) Download(ctx context.Context, id uuid.UUID) (Reading, error) {
	return op.Do(ctx, s.run, Download.On(id.String()), func(tx uow.Tx) (Reading, error) {
		f, err := s.owned(ctx, tx, id)
		if err != nil {
			return Reading{}, err
		}
		return s.reading(f), f.Readable()
	})
}

func (s *Files) reading(f domain.File) Reading {
	r := Reading{File: f, Open: func(ctx context.Context, from, length int64) (io.ReadCloser, error) {
		content, err := s.Contents.Open(ctx, f.Object, from, length)
		if errors.Is(err, domain.ErrLost) { // the next sweep finds it too
			s.Log.ErrorContext(ctx, "content of a file is lost", "file", f.ID, "object", f.Object)
		}
		return content, err
	}}
	if s.policy.Redirect {
		r.Link = func(ctx context.Context, disposition string) (domain.Link, error) {
			return s.Contents.LinkGet(ctx, f.Object, f.ContentType, disposition, s.policy.LinkTTL)
		}
	}
	return r
}
