package service

import (
	"context"
	"errors"
	"slices"

	"github.com/google/uuid"

	"github.com/insulahq/insula/modules/files/domain"
	"github.com/insulahq/insula/platform/uow"
)

// A new content under a name that another file carries puts that file among its
// earlier versions. Who declares and sends files does so with their own alone;
// with somebody else's only who may change that anyway.

// mayReplace notes on an upload whether the caller may replace files of others,
// since what reads the content later does not know them. It refuses at once
// where such a file is in the way: domain.ErrNotReplaced.
func (s *Files) mayReplace(ctx context.Context, tx uow.Tx, f domain.File, u *domain.Upload) error {
	u.Replaces = s.run.May(Update, uuid.Nil) == nil
	if u.Replaces {
		return nil
	}
	if err := s.Keep.LockUsage(ctx, tx); err != nil {
		return err
	}
	_, _, err := s.replaced(ctx, tx, f, *u)
	return err
}

// replaced finds what a file takes the name of, if there is any;
// domain.ErrNotReplaced when it must not. The usage must be locked.
func (s *Files) replaced(ctx context.Context, tx uow.Tx, f domain.File, u domain.Upload) (current domain.File, found bool, err error) {
	current, err = s.Keep.LockCurrent(ctx, tx, f.Folder, f.Name)
	if errors.Is(err, domain.ErrNotFound) {
		return current, false, nil
	}
	if err != nil {
		return current, false, err
	}
	return current, true, u.Succeeds(f, current)
}

// head locks a line and finds the version that heads it, if one does.
func (s *Files) head(ctx context.Context, tx uow.Tx, line uuid.UUID) (head domain.File, found bool, err error) {
	versions, err := s.Keep.LockLine(ctx, tx, line)
	if err != nil {
		return head, false, err
	}
	at := slices.IndexFunc(versions, domain.File.Heads)
	if at < 0 {
		return head, false, nil
	}
	return versions[at], true, nil
}

// nameFree checks that no file but a version of f has its name;
// domain.ErrNameTaken.
func (s *Files) nameFree(ctx context.Context, tx uow.Tx, f domain.File) error {
	current, err := s.Keep.LockCurrent(ctx, tx, f.Folder, f.Name)
	switch {
	case errors.Is(err, domain.ErrNotFound):
		return nil
	case err == nil && current.Line != f.Line:
		return domain.ErrNameTaken
	}
	return err
}
