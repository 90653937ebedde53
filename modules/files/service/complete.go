package service

import (
	"bytes"
	"context"
	"errors"

	"github.com/google/uuid"

	"github.com/insulahq/insula/modules/files/domain"
	"github.com/insulahq/insula/platform/errs"
	"github.com/insulahq/insula/platform/op"
	"github.com/insulahq/insula/platform/uow"
)

// Complete ends an upload to the object store.
var Complete = op.Write("files.complete", "Say that the content of a file was sent to the object store.", op.About("file"))

// Complete checks against the store itself that content which a client sent
// there is what was declared, and makes the file readable. Large content, and
// all that is scanned, is scanning until Examine has read it. Completing again
// gives the file as it is, so a client that did not hear the answer may ask.
//
// domain.ErrIncomplete says what has not arrived. Content that is not what was
// declared is thrown away: domain.ErrSize, ErrChecksum or ErrType; the file
// waits for its content again.
func (s *Files) Complete(ctx context.Context, id uuid.UUID) (domain.File, error) {
	got, refused, failed := s.gather(ctx, id)
	if recorded(failed) {
		return domain.File{}, failed
	}
	f, err := op.Do(ctx, s.run, Complete.On(id.String()), func(tx uow.Tx) (domain.File, error) {
		switch {
		case failed != nil:
			return domain.File{}, failed
		case refused != nil:
			return s.refuse(ctx, tx, id, got.object, refused)
		case got.object == uuid.Nil:
			return s.Keep.Get(ctx, tx, id)
		}
		return s.settleDirect(ctx, tx, id, got)
	})
	if err == nil && f.Status == domain.Pending {
		return f, reasons[f.Reason] // refused, by this request or by the one that it repeats
	}
	return f, err
}

// reasons are the errors behind File.Reason.
var reasons = func() map[string]error {
	all := map[string]error{"": domain.ErrIncomplete}
	for _, e := range []*errs.Error{domain.ErrSize, domain.ErrChecksum, domain.ErrType, domain.ErrIncomplete, domain.ErrNotReplaced} {
		all[e.Code] = e
	}
	return all
}()

// gather finds out what has arrived. Without an object the file has its
// content already. refused is why the content is not what was declared.
func (s *Files) gather(ctx context.Context, id uuid.UUID) (got arrival, refused *errs.Error, err error) {
	seen, err := s.lookAwaited(ctx, Complete, id)
	if err != nil || seen.file.Status == domain.Scanning || seen.file.Status == domain.Ready {
		return arrival{}, nil, err
	}
	if err := seen.file.Expects(-1); err != nil {
		return arrival{}, nil, err
	}
	if err := s.assemble(ctx, seen); err != nil {
		return arrival{}, nil, err
	}
	got.object = seen.upload.Object
	stat, err := s.Contents.Stat(ctx, got.object)
	if err != nil {
		return got, nil, err
	}
	if stat.Size != seen.file.Size {
		return got, domain.ErrSize, nil
	}
	if got.content, err = s.readNow(ctx, seen, stat); err != nil {
		return got, nil, err
	}
	return got, s.verdict(seen.upload, got.content), nil
}

// verdict is what is wrong with content that was read; nil when nothing is, or
// nobody has read it.
func (s *Files) verdict(u domain.Upload, c *domain.Content) *errs.Error {
	switch {
	case c == nil:
		return nil
	case !s.policy.Takes(c.ContentType):
		return domain.ErrType
	case u.Agrees(*c) != nil:
		return domain.ErrChecksum
	}
	return nil
}

// assemble makes an object of parts. That it was done before is no error: a
// process may have ended right after it.
func (s *Files) assemble(ctx context.Context, seen awaited) error {
	u, f := seen.upload, seen.file
	switch {
	case u.Method == domain.Through:
		return domain.ErrIncomplete
	case u.Method == domain.Put:
		return nil
	case u.Multipart == "":
		return u.Whole(f.Size, nil)
	}
	stored, err := s.Contents.Parts(ctx, u.Object, u.Multipart)
	if err == nil {
		if err := u.Whole(f.Size, stored); err != nil {
			return err
		}
		err = s.Contents.Assemble(ctx, u.Object, u.Multipart, stored)
	}
	if errors.Is(err, domain.ErrFilled) {
		return nil
	}
	return err
}

// readNow reads content while its sender waits, where that is quick: nil when
// it is not. Where the store itself has checked the SHA-256, a look at the
// first bytes is enough.
func (s *Files) readNow(ctx context.Context, seen awaited, stat domain.Stat) (*domain.Content, error) {
	checked := stat.SHA256 != nil && (seen.upload.SHA256 == nil || bytes.Equal(stat.SHA256, seen.upload.SHA256))
	switch {
	case s.policy.Scan:
		return nil, nil
	case checked:
		kind, err := s.sniff(ctx, seen)
		return &domain.Content{Size: stat.Size, ContentType: kind, SHA256: stat.SHA256}, err
	case stat.Size > s.policy.Inline:
		return nil, nil
	}
	c, _, err := s.read(ctx, seen.upload.Object, stat.Size, nil)
	return &c, err
}

// sniff tells the content type by the first bytes.
func (s *Files) sniff(ctx context.Context, seen awaited) (string, error) {
	r, err := s.Contents.Open(ctx, seen.upload.Object, 0, min(seen.file.Size, domain.Sniffed))
	if err != nil {
		return "", err
	}
	defer func() { _ = r.Close() }() // what was needed was read
	return domain.Sniff(r)
}

// settleDirect is settle for content in the store. While its sender waited
// another request may have come first.
func (s *Files) settleDirect(ctx context.Context, tx uow.Tx, id uuid.UUID, got arrival) (domain.File, error) {
	f, err := s.lockFile(ctx, tx, id)
	if err != nil {
		return f, err
	}
	tx.Trail().On("file", id.String(), f.Name)
	if f.Object == got.object {
		return f, nil // completed by another request
	}
	u, err := s.Keep.GetUpload(ctx, tx, id)
	if err != nil {
		return f, err
	}
	if u.Object != got.object {
		return f, domain.ErrIncomplete // refused by another request, and not sent again
	}
	return s.settle(ctx, tx, id, got)
}

// refuse throws content away that is not what was declared, unless somebody
// else has decided about it.
func (s *Files) refuse(ctx context.Context, tx uow.Tx, id, object uuid.UUID, why *errs.Error) (domain.File, error) {
	before, err := s.Keep.Lock(ctx, tx, id)
	if err != nil {
		return before, err
	}
	tx.Trail().On("file", id.String(), before.Name)
	u, err := s.Keep.GetUpload(ctx, tx, id)
	if err != nil || u.Object != object {
		return before, err
	}
	after, err := before.Refuse(why, s.Clock.Now())
	if err != nil {
		return before, err
	}
	s.removeLater(tx, object)
	if err := s.Keep.UpdateUpload(ctx, tx, u.Again(s.IDs.New(), s.policy, s.Clock.Now())); err != nil {
		return before, err
	}
	tx.Trail().Changed(before.View(), after.View())
	return s.Keep.Update(ctx, tx, after)
}
