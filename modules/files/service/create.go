package service

import (
	"context"
	"errors"

	"github.com/insulahq/insula/modules/files/domain"
	"github.com/insulahq/insula/platform/op"
	"github.com/insulahq/insula/platform/uow"
)

// Create declares a file whose content follows.
var Create = op.Write("files.create", "Declare a file to be uploaded.", op.About("file"))

// Sending is a pending file and how its content is sent.
type Sending struct {
	File   domain.File
	Upload domain.Upload
	Link   *domain.Link // to send all of it in one piece; nil for the other methods
	Parts  []PartLink   // to the parts that were asked for
	Stored []domain.Stored
}

// PartLink is the link to send one part.
type PartLink struct {
	Number int32
	Size   int64
	domain.Link
}

// declared is what Create keeps, and gives again when the request comes again.
type declared struct {
	File   domain.File
	Upload domain.Upload
}

// Create declares a file, owned by the caller, and takes the room it needs
// from the tenant's quota: domain.ErrQuota. Somebody else's file of that name is
// in the way of who may not change it: domain.ErrNotReplaced. It waits for its content until
// Upload or Complete bring it, or its time is over.
func (s *Files) Create(ctx context.Context, in domain.Declaration) (Sending, error) {
	again := true // this request has been answered before
	made, err := op.Do(ctx, s.run, Create, func(tx uow.Tx) (declared, error) {
		again = false
		f, u, err := domain.Declare(s.IDs.New(), s.IDs.New(), s.run.Caller().ID, in, s.policy, s.Clock.Now())
		if err != nil {
			return declared{}, err
		}
		tx.Trail().On("file", f.ID.String(), f.Name)
		tx.Trail().Changed(nil, f.View())
		if err := s.mayReplace(ctx, tx, f, &u); err != nil {
			return declared{}, err
		}
		if err := s.Keep.Reserve(ctx, tx, f.Size, s.policy); err != nil {
			return declared{}, err
		}
		if err := s.Keep.Insert(ctx, tx, f); err != nil {
			return declared{}, err
		}
		return declared{f, u}, s.Keep.InsertUpload(ctx, tx, u)
	})
	if err != nil {
		return Sending{}, err
	}
	out := Sending{File: made.File, Upload: made.Upload}
	if again {
		awaited, err := s.stillAwaited(ctx, made)
		if err != nil || !awaited {
			return out, err
		}
	}
	out.Link = s.linkPut(ctx, made.File, made.Upload)
	return out, nil
}

// stillAwaited reports whether what was declared still waits for its content
// where it did. A link to any other object would store what nobody counts.
func (s *Files) stillAwaited(ctx context.Context, made declared) (bool, error) {
	d := Create.On(made.File.ID.String())
	d.Writes = false
	return op.Do(ctx, s.run, d, func(tx uow.Tx) (bool, error) {
		f, err := s.Keep.Get(ctx, tx, made.File.ID)
		if errors.Is(err, domain.ErrNotFound) || err == nil && f.Status != domain.Pending {
			return false, nil
		}
		if err != nil {
			return false, err
		}
		u, err := s.Keep.GetUpload(ctx, tx, f.ID)
		if errors.Is(err, domain.ErrFilled) { // filled since the look at the file
			return false, nil
		}
		return u.Object == made.Upload.Object, err
	})
}

// linkPut is the link to send a content in one piece; nil when it is sent
// otherwise, or no link can be made right now: Parts gives one later.
func (s *Files) linkPut(ctx context.Context, f domain.File, u domain.Upload) *domain.Link {
	if u.Method != domain.Put {
		return nil
	}
	link, err := s.Contents.LinkPut(ctx, u.Object, f.Size, f.ContentType, u.SHA256, s.policy.LinkTTL)
	if err != nil {
		s.Log.WarnContext(ctx, "no link to send a file", "file", f.ID, "error", err)
		return nil
	}
	return &link
}
