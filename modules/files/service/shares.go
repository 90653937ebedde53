package service

import (
	"context"
	"errors"
	"io"

	"github.com/google/uuid"

	"github.com/insulahq/insula/modules/files/domain"
	"github.com/insulahq/insula/platform/op"
	"github.com/insulahq/insula/platform/page"
	"github.com/insulahq/insula/platform/secret"
	"github.com/insulahq/insula/platform/uow"
)

// Shares let people without an account read a file.
var (
	CreateShare = op.Write("files.shares.create", "Make a link by which anybody who has it can read a file.", op.About("file"))
	ListShares  = op.Read("files.shares.list", "See the links to a file, and how often they were used.", op.About("file"), op.OwnerToo)
	RevokeShare = op.Write("files.shares.revoke", "Revoke a link to a file, at once.", op.About("share"), op.OwnerOf("file"))
	OpenShare   = op.Write("files.shares.open", "Read a file by a link to it.", op.About("share"),
		op.Public("who was given a link has no account; its 256 random bits are what lets in"))
)

// CreatedShare is a new share with its token, which nobody can read again.
type CreatedShare struct {
	domain.Share
	Token secret.Value
}

// sealedShare is a CreatedShare as it is kept for a request that comes again.
type sealedShare struct {
	Share domain.Share
	Token []byte
}

// CreateShare makes a link to the content of a file that can be read. Nobody
// shares what they may not read themselves: domain.ErrNotShared.
func (s *Files) CreateShare(ctx context.Context, file uuid.UUID, in domain.Sharing) (CreatedShare, error) {
	made, err := op.Do(ctx, s.run, CreateShare.On(file.String()), func(tx uow.Tx) (sealedShare, error) {
		f, err := s.owned(ctx, tx, file)
		if err != nil {
			return sealedShare{}, err
		}
		tx.Trail().On("file", file.String(), f.Name)
		if err := s.run.May(Download, f.OwnerID); err != nil {
			return sealedShare{}, domain.ErrNotShared.Because(err)
		}
		id := s.IDs.New()
		token, sealed, err := s.Tokens.draw(id)
		if err != nil {
			return sealedShare{}, err
		}
		share, err := f.Share(id, s.run.Caller().ID, secret.DigestOf(token), in, s.Clock.Now())
		if err != nil {
			return sealedShare{}, err
		}
		tx.Trail().Changed(nil, share.View())
		return sealedShare{Share: share, Token: sealed}, s.Keep.InsertShare(ctx, tx, share)
	})
	if err != nil {
		return CreatedShare{}, err
	}
	token, err := s.Tokens.open(made.Share.ID, made.Token)
	return CreatedShare{Share: made.Share, Token: token}, err
}

// Shares pages through the links to a file, newest first.
func (s *Files) Shares(ctx context.Context, file uuid.UUID, r page.Request) (page.Page[domain.Share], error) {
	return op.Do(ctx, s.run, ListShares.On(file.String()), func(tx uow.Tx) (page.Page[domain.Share], error) {
		if _, err := s.owned(ctx, tx, file); err != nil {
			return page.Page[domain.Share]{}, err
		}
		return s.Keep.ListShares(ctx, tx, file, r)
	})
}

// RevokeShare ends a link: its next use is refused. Revoking it again changes
// nothing.
func (s *Files) RevokeShare(ctx context.Context, id uuid.UUID) error {
	_, err := op.Do(ctx, s.run, RevokeShare.On(id.String()), func(tx uow.Tx) (struct{}, error) {
		share, err := s.Keep.LockShare(ctx, tx, id)
		if err != nil {
			return struct{}{}, err
		}
		f, err := s.owned(ctx, tx, share.FileID)
		if err != nil {
			return struct{}{}, err
		}
		tx.Trail().On("share", id.String(), f.Name)
		after := share.Revoke(s.Clock.Now())
		tx.Trail().Changed(share.View(), after.View())
		return struct{}{}, s.Keep.UpdateShare(ctx, tx, after)
	})
	return err
}

// OpenShare lets whoever holds a token read the content that it leads to. It
// is the reading that counts, by Reading.Begin: a share for single use is used
// up once there is content to send, and not by who only asks about it. Whatever
// is wrong with a token or its file, the answer is domain.ErrShareNotFound.
func (s *Files) OpenShare(ctx context.Context, token secret.Value) (Reading, error) {
	look := OpenShare
	look.Writes = false
	return op.Do(ctx, s.run, look, func(tx uow.Tx) (Reading, error) {
		share, err := s.Keep.GetShare(ctx, tx, secret.DigestOf(token))
		if err != nil {
			return Reading{}, err
		}
		f, err := s.sharedFile(ctx, tx, share)
		if err != nil {
			return Reading{}, err
		}
		if _, err := share.Open(f, s.Clock.Now()); err != nil {
			return Reading{}, err
		}
		r := s.reading(f)
		r.Open = withoutCause(r.Open)
		r.Begin = func(ctx context.Context) error { return s.countShare(ctx, share.ID) }
		if share.SingleUse {
			r.Link = nil // the store's link would work again
			r.Whole = true
		}
		return r, nil
	})
}

// withoutCause answers a reader without an account in the same way whatever
// keeps the content from being read, but for a store that is away.
func withoutCause(open opener) opener {
	return func(ctx context.Context, from, length int64) (io.ReadCloser, error) {
		content, err := open(ctx, from, length)
		if errors.Is(err, domain.ErrLost) {
			return nil, domain.ErrShareNotFound.Because(err)
		}
		return content, err
	}
}

// countShare counts one reading of the content by a share, if it still leads
// there.
func (s *Files) countShare(ctx context.Context, id uuid.UUID) error {
	_, err := op.Do(ctx, s.run, OpenShare.On(id.String()), func(tx uow.Tx) (struct{}, error) {
		before, err := s.Keep.LockShare(ctx, tx, id)
		if err != nil {
			return struct{}{}, err
		}
		f, err := s.sharedFile(ctx, tx, before)
		if err != nil {
			return struct{}{}, err
		}
		after, err := before.Open(f, s.Clock.Now())
		if err != nil {
			return struct{}{}, err
		}
		tx.Trail().Changed(before.View(), after.View())
		return struct{}{}, s.Keep.UpdateShare(ctx, tx, after)
	})
	return err
}

// sharedFile is what a share leads to, and tells the trail which share it is.
func (s *Files) sharedFile(ctx context.Context, tx uow.Tx, share domain.Share) (domain.File, error) {
	f, err := s.Keep.Get(ctx, tx, share.FileID)
	tx.Trail().On("share", share.ID.String(), f.Name)
	return f, err
}
