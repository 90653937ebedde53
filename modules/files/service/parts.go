package service

import (
	"context"
	"errors"

	"github.com/google/uuid"

	"github.com/insulahq/insula/modules/files/domain"
	"github.com/insulahq/insula/platform/op"
	"github.com/insulahq/insula/platform/uow"
)

// Parts tells how to go on with an upload.
var Parts = op.Write("files.parts", "Get links to send a file to the object store, and see which parts are there.", op.About("file"))

// Parts tells how the content of a declared file is sent, with links to the
// parts of these numbers, and which parts have arrived: a client that was cut
// off asks here and sends what is missing. It also gives the upload as long
// again as a new one has.
//
// The store is asked before and after the unit of work, never inside: it may
// be slow, and a connection must not wait for it.
func (s *Files) Parts(ctx context.Context, id uuid.UUID, numbers []int32) (Sending, error) {
	seen, begun, failed := s.beginParts(ctx, id, numbers)
	if recorded(failed) {
		return Sending{}, failed
	}
	u, err := op.Do(ctx, s.run, Parts.On(id.String()), func(tx uow.Tx) (domain.Upload, error) {
		if failed != nil {
			return domain.Upload{}, failed
		}
		return s.keepParts(ctx, tx, seen, begun)
	})
	if begun != "" && (err != nil || u.Multipart != begun) {
		s.abortParts(ctx, seen.upload.Object, begun) // somebody else was quicker
	}
	if err != nil {
		return Sending{}, err
	}
	return s.sending(ctx, seen.file, u, numbers)
}

// beginParts looks at the file, and begins an upload in parts when there is
// none yet, or none any more.
func (s *Files) beginParts(ctx context.Context, id uuid.UUID, numbers []int32) (seen awaited, begun string, err error) {
	if seen, err = s.lookAwaited(ctx, Parts, id); err != nil {
		return seen, "", err
	}
	if err := seen.file.Expects(-1); err != nil {
		return seen, "", err
	}
	if _, err := seen.upload.PartSizes(seen.file.Size, numbers); err != nil {
		return seen, "", err
	}
	if seen.upload.Method != domain.Multipart {
		return seen, "", nil
	}
	if seen.upload.Multipart != "" {
		lost, err := s.isLost(ctx, seen.upload)
		if err != nil || !lost {
			return seen, "", err
		}
	}
	begun, err = s.Contents.Begin(ctx, seen.upload.Object, seen.file.ContentType)
	return seen, begun, err
}

// isLost reports whether an upload in parts has ended without an object, by
// somebody who cleans up in the store.
func (s *Files) isLost(ctx context.Context, u domain.Upload) (bool, error) {
	_, err := s.Contents.Parts(ctx, u.Object, u.Multipart)
	if !errors.Is(err, domain.ErrFilled) {
		return false, err
	}
	_, err = s.Contents.Stat(ctx, u.Object)
	if errors.Is(err, domain.ErrIncomplete) {
		return true, nil
	}
	return false, err // assembled: Complete is what is left to do
}

func (s *Files) keepParts(ctx context.Context, tx uow.Tx, seen awaited, begun string) (domain.Upload, error) {
	f, err := s.Keep.Lock(ctx, tx, seen.file.ID)
	if err != nil {
		return domain.Upload{}, err
	}
	tx.Trail().On("file", f.ID.String(), f.Name)
	if err := f.Expects(-1); err != nil {
		return domain.Upload{}, err
	}
	u, err := s.Keep.GetUpload(ctx, tx, f.ID)
	if err != nil {
		return u, err
	}
	if begun != "" && u.Object == seen.upload.Object && u.Multipart == seen.upload.Multipart {
		u.Multipart = begun
	}
	u.ExpiresAt = s.Clock.Now().Add(s.policy.UploadTTL)
	return u, s.Keep.UpdateUpload(ctx, tx, u)
}

// sending adds links and what has arrived.
func (s *Files) sending(ctx context.Context, f domain.File, u domain.Upload, numbers []int32) (Sending, error) {
	out := Sending{File: f, Upload: u, Link: s.linkPut(ctx, f, u)}
	if u.Method != domain.Multipart {
		return out, nil
	}
	stored, err := s.Contents.Parts(ctx, u.Object, u.Multipart)
	switch {
	case errors.Is(err, domain.ErrFilled): // assembled already: Complete is what is left
		out.Stored = u.Everything(f.Size)
		return out, nil
	case err != nil:
		return Sending{}, err
	}
	out.Stored = u.Arrived(f.Size, stored)
	sizes, err := u.PartSizes(f.Size, numbers)
	if err != nil {
		return Sending{}, err
	}
	for i, n := range numbers {
		link, err := s.Contents.LinkPart(ctx, u.Object, u.Multipart, n, sizes[i], s.policy.LinkTTL)
		if err != nil {
			return Sending{}, err
		}
		out.Parts = append(out.Parts, PartLink{Number: n, Size: sizes[i], Link: link})
	}
	return out, nil
}
