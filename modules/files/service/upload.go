package service

import (
	"context"
	"errors"
	"io"

	"github.com/google/uuid"

	"github.com/insulahq/insula/modules/files/domain"
	"github.com/insulahq/insula/platform/errs"
	"github.com/insulahq/insula/platform/op"
	"github.com/insulahq/insula/platform/uow"
)

// Upload brings the content of a file.
var Upload = op.Write("files.upload", "Upload the content of a declared file.", op.About("file"))

// Body is content on its way in.
type Body struct {
	io.Reader
	Length int64 // as announced, -1 when it was not
}

// Upload receives the content of a declared file. It must be as long as
// declared; nobody sees the file as ready before all of it is stored.
//
// The transfer may take hours and must hold no database connection, so it
// happens before the unit of work: look at the file, store the bytes as an
// object of this upload's own, then open the unit of work, which locks the
// file, looks again, and makes it name that object. Of two uploads at once the
// first to get there wins, and neither can touch the other's bytes. What went
// wrong before is returned inside the operation, so that one upload leaves one
// record in the trail, however it ends. An object that the file does not come
// to name is removed again.
func (s *Files) Upload(ctx context.Context, id uuid.UUID, body Body) (domain.File, error) {
	stored, failed := s.store(ctx, id, body)
	switch {
	case errors.Is(failed, errs.ErrForbidden), errors.Is(failed, errs.ErrUnauthenticated), errors.Is(failed, domain.ErrNotFound):
		return domain.File{}, failed // recorded already, by the look at the file
	}
	written := false
	f, err := op.Do(ctx, s.run, Upload.On(id.String()), func(tx uow.Tx) (domain.File, error) {
		if failed != nil {
			return domain.File{}, failed
		}
		f, err := s.fill(ctx, tx, id, stored)
		written = err == nil
		return f, err
	})
	if err != nil {
		s.discard(ctx, id, stored.object, written)
	}
	return f, err
}

// upload is content that has been stored, and where.
type upload struct {
	domain.Content
	object uuid.UUID // uuid.Nil when nothing can have been stored
}

// store receives the body and keeps it under a new name.
func (s *Files) store(ctx context.Context, id uuid.UUID, body Body) (upload, error) {
	f, err := s.look(ctx, id)
	if err != nil {
		return upload{}, err
	}
	if err := f.Expects(body.Length); err != nil {
		return upload{}, err
	}
	r, err := domain.Receive(body, f.Size)
	if err != nil {
		return upload{}, err
	}
	stored := upload{object: s.ids.New()}
	if err := s.contents.Put(ctx, stored.object, r, f.Size, r.ContentType()); err != nil {
		return stored, err
	}
	stored.Content, err = r.Finish()
	return stored, err
}

// look reads the file as a part of Upload that writes nothing: the caller
// needs the same permission, and the trail hears of the upload as a whole.
func (s *Files) look(ctx context.Context, id uuid.UUID) (domain.File, error) {
	looking := Upload.On(id.String())
	looking.Writes = false
	return op.Do(ctx, s.run, looking, func(tx uow.Tx) (domain.File, error) {
		return s.repo.Get(ctx, tx, id)
	})
}

func (s *Files) fill(ctx context.Context, tx uow.Tx, id uuid.UUID, stored upload) (domain.File, error) {
	before, err := s.repo.Lock(ctx, tx, id)
	if err != nil {
		return before, err
	}
	tx.Trail().On("file", id.String(), before.Name)
	after, err := before.Fill(stored.Content, stored.object, s.clock.Now())
	if err != nil {
		return before, err
	}
	tx.Trail().Changed(before.View(), after.View())
	return s.repo.Update(ctx, tx, after)
}

// discard removes the object of an upload that failed. When only the commit
// failed, the connection may have broken after it: then the file decides, and
// while it cannot be asked the object stays.
func (s *Files) discard(ctx context.Context, id, object uuid.UUID, written bool) {
	if object == uuid.Nil {
		return
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), removeTimeout)
	defer cancel()
	if written {
		f, err := s.look(ctx, id)
		switch {
		case err == nil && f.Object == object:
			return
		case err != nil && !errors.Is(err, domain.ErrNotFound):
			s.log.WarnContext(ctx, "object of an upload of unknown outcome kept", "file", id, "object", object, "error", err)
			return
		}
	}
	s.remove(ctx, object)
}
