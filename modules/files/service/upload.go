package service

import (
	"context"
	"errors"
	"io"

	"github.com/google/uuid"

	"github.com/insulahq/insula/modules/files/domain"
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

// Upload receives the content of a declared file through the server, however
// it was meant to be sent. It must be as long as declared; nobody sees the
// file as ready before all of it is stored.
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
	if recorded(failed) {
		return domain.File{}, failed
	}
	written := false
	f, err := op.Do(ctx, s.run, Upload.On(id.String()), func(tx uow.Tx) (domain.File, error) {
		if failed != nil {
			return domain.File{}, failed
		}
		f, err := s.settle(ctx, tx, id, stored)
		written = err == nil
		return f, err
	})
	if err != nil {
		s.discard(ctx, id, stored.object, written)
	}
	return f, err
}

// arrival is content that has been stored, and where.
type arrival struct {
	object  uuid.UUID       // uuid.Nil when nothing can have been stored
	content *domain.Content // nil when nobody has read it through yet
}

// store receives the body and keeps it under a new name.
func (s *Files) store(ctx context.Context, id uuid.UUID, body Body) (arrival, error) {
	seen, err := s.lookAwaited(ctx, Upload, id)
	if err != nil {
		return arrival{}, err
	}
	if err := seen.file.Expects(body.Length); err != nil {
		return arrival{}, err
	}
	r, err := domain.Receive(body, seen.file.Size)
	if err != nil {
		return arrival{}, err
	}
	if !s.policy.Takes(r.ContentType()) {
		return arrival{}, domain.ErrType
	}
	stored := arrival{object: s.IDs.New()}
	if err := s.Contents.Put(ctx, stored.object, r, seen.file.Size, r.ContentType()); err != nil {
		return stored, err
	}
	content, err := r.Finish()
	if err != nil {
		return stored, err
	}
	stored.content = &content
	return stored, seen.upload.Agrees(content)
}

// settle gives a file content that has arrived. Content that nobody has read
// through, or a scanner must see, is held until Examine has done that.
func (s *Files) settle(ctx context.Context, tx uow.Tx, id uuid.UUID, a arrival) (domain.File, error) {
	before, err := s.lockFile(ctx, tx, id)
	if err != nil {
		return before, err
	}
	tx.Trail().On("file", id.String(), before.Name)
	if err := before.Expects(-1); err != nil {
		return before, err
	}
	u, err := s.Keep.GetUpload(ctx, tx, id)
	if err != nil {
		return before, err
	}
	if err := s.mayReplace(ctx, tx, before, &u); err != nil {
		return before, err
	}
	if a.content == nil || s.policy.Scan {
		return s.hold(ctx, tx, before, u, a.object)
	}
	return s.publish(ctx, tx, before, u, *a.content, a.object)
}

// hold keeps content from being read until it has been examined.
func (s *Files) hold(ctx context.Context, tx uow.Tx, before domain.File, u domain.Upload, object uuid.UUID) (domain.File, error) {
	after, err := before.Hold(object, s.Clock.Now())
	if err != nil {
		return before, err
	}
	s.giveUpLater(tx, u, object)
	if err := s.Keep.UpdateUpload(ctx, tx, u.Held(object)); err != nil {
		return before, err
	}
	if err := s.Outbox.Put(ctx, tx, Examine, Examination{File: before.ID, Object: object}); err != nil {
		return before, err
	}
	tx.Trail().Changed(before.View(), after.View())
	return s.Keep.Update(ctx, tx, after)
}

// publish makes content readable. What carried the name before becomes an
// earlier version; domain.ErrNotReplaced, and nothing has changed, where it is
// somebody else's.
func (s *Files) publish(ctx context.Context, tx uow.Tx, before domain.File, u domain.Upload, c domain.Content, object uuid.UUID) (domain.File, error) {
	now := s.Clock.Now()
	after, err := before.Fill(c, object, now)
	if err != nil {
		return before, err
	}
	current, found, err := s.replaced(ctx, tx, after, u)
	if err != nil {
		return before, err
	}
	if found {
		if _, err := s.Keep.Update(ctx, tx, current.Supersede(now)); err != nil {
			return before, err
		}
		after.Line = current.Line
	}
	s.giveUpLater(tx, u, object)
	if err := s.Keep.DeleteUpload(ctx, tx, after.ID); err != nil {
		return before, err
	}
	tx.Trail().Changed(before.View(), after.View())
	return s.Keep.Update(ctx, tx, after)
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
		f, err := s.look(ctx, Upload, id)
		switch {
		case err == nil && f.Object == object:
			return
		case err != nil && !errors.Is(err, domain.ErrNotFound):
			s.Log.WarnContext(ctx, "object of an upload of unknown outcome kept", "file", id, "object", object, "error", err)
			return
		}
	}
	s.remove(ctx, object)
}
