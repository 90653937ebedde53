package service

import (
	"context"
	"errors"

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
	RevokeShare = op.Write("files.shares.revoke", "Revoke a link to a file, at once.", op.About("share"), op.OwnerToo)
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

// CreateShare makes a link to the content of a file that can be read.
func (s *Files) CreateShare(ctx context.Context, file uuid.UUID, in domain.Sharing) (CreatedShare, error) {
	made, err := op.Do(ctx, s.run, CreateShare.On(file.String()), func(tx uow.Tx) (sealedShare, error) {
		f, err := s.owned(ctx, tx, file)
		if err != nil {
			return sealedShare{}, err
		}
		tx.Trail().On("file", file.String(), f.Name)
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

// OpenShare lets whoever holds a token read the content that it leads to, and
// counts it: a share for single use is used up. Whatever is wrong with a token
// or its file, the answer is domain.ErrShareNotFound.
func (s *Files) OpenShare(ctx context.Context, token secret.Value) (Reading, error) {
	seen, err := s.peek(ctx, token)
	if recorded(err) {
		return Reading{}, err
	}
	if err == nil && seen.share.SingleUse {
		err = s.present(ctx, seen.file)
	}
	return op.Do(ctx, s.run, OpenShare.On(seen.share.ID.String()), func(tx uow.Tx) (Reading, error) {
		if err != nil {
			return Reading{}, err
		}
		share, err := s.Keep.LockShare(ctx, tx, seen.share.ID)
		if err != nil {
			return Reading{}, err
		}
		f, err := s.Keep.Get(ctx, tx, share.FileID)
		if err != nil {
			return Reading{}, err
		}
		tx.Trail().On("share", share.ID.String(), f.Name)
		after, err := share.Open(f, s.Clock.Now())
		if err != nil {
			return Reading{}, err
		}
		tx.Trail().Changed(share.View(), after.View())
		r := s.reading(f)
		if share.SingleUse {
			r.Link = nil // the store's link would work again
		}
		return r, s.Keep.UpdateShare(ctx, tx, after)
	})
}

// present keeps a share for single use from being used up for nothing.
func (s *Files) present(ctx context.Context, f domain.File) error {
	_, err := s.Contents.Stat(ctx, f.Object)
	if errors.Is(err, domain.ErrIncomplete) {
		return domain.ErrShareNotFound
	}
	return err
}

// PeekShare is OpenShare for who wants to know about the content alone: it
// does not count.
func (s *Files) PeekShare(ctx context.Context, token secret.Value) (Reading, error) {
	return op.Do(ctx, s.run, peeking(), func(tx uow.Tx) (Reading, error) {
		found, err := s.find(ctx, tx, token)
		return s.reading(found.file), err
	})
}

// shared is a share and where it leads.
type shared struct {
	share domain.Share
	file  domain.File
}

// peeking is OpenShare without its effect.
func peeking() op.Def {
	d := OpenShare
	d.Writes = false
	return d
}

func (s *Files) peek(ctx context.Context, token secret.Value) (shared, error) {
	return op.Do(ctx, s.run, peeking(), func(tx uow.Tx) (shared, error) { return s.find(ctx, tx, token) })
}

// find finds what a token leads to, if it still does.
func (s *Files) find(ctx context.Context, tx uow.Tx, token secret.Value) (found shared, err error) {
	if found.share, err = s.Keep.GetShare(ctx, tx, secret.DigestOf(token)); err != nil {
		return found, err
	}
	if found.file, err = s.Keep.Get(ctx, tx, found.share.FileID); err != nil {
		return found, err
	}
	_, err = found.share.Open(found.file, s.Clock.Now())
	return found, err
}
