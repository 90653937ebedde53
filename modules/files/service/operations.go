// Package service holds the operations of the files module.
package service

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"github.com/google/uuid"

	"github.com/insulahq/insula/modules/files/domain"
	"github.com/insulahq/insula/platform/clock"
	"github.com/insulahq/insula/platform/errs"
	"github.com/insulahq/insula/platform/id"
	"github.com/insulahq/insula/platform/jobs"
	"github.com/insulahq/insula/platform/op"
	"github.com/insulahq/insula/platform/uow"
)

// Operations are all operations of the module.
var Operations = []op.Def{
	Create, Upload, Parts, Complete, Abort, Examine,
	Get, List, Folders, Download, Versions, Usage,
	Update, Delete, Undelete, Restore,
	CreateShare, ListShares, RevokeShare, OpenShare,
	Sweep, GiveUp, Purge, Requeue, Lose, Find, Clear,
}

// Parties are what the service works with, apart from who asks.
type Parties struct {
	Keep     domain.Keeper
	Contents domain.Contents
	Scanner  domain.Scanner // nil when content is not scanned
	Outbox   jobs.Outbox
	Tokens   *Tokens
	Clock    clock.Clock
	IDs      id.Source
	Log      *slog.Logger
}

// Files is a tenant's files as its users work with them.
type Files struct {
	Parties
	run    *op.Runner
	policy domain.Policy
}

// New makes the service of one request.
func New(run *op.Runner, policy domain.Policy, p Parties) *Files {
	return &Files{Parties: p, run: run, policy: policy}
}

// look reads a file as a part of an operation that also acts outside the
// database: the caller needs the same permission, and the trail hears of the
// operation as a whole.
func (s *Files) look(ctx context.Context, d op.Def, id uuid.UUID) (domain.File, error) {
	d = d.On(id.String())
	d.Writes = false
	return op.Do(ctx, s.run, d, func(tx uow.Tx) (domain.File, error) {
		return s.Keep.Get(ctx, tx, id)
	})
}

// awaited is a pending file and the upload that is to bring its content.
type awaited struct {
	file   domain.File
	upload domain.Upload
}

// lookAwaited is look for a file that waits for content from the caller, or
// did: then it has no upload.
func (s *Files) lookAwaited(ctx context.Context, d op.Def, id uuid.UUID) (awaited, error) {
	d = d.On(id.String())
	d.Writes = false
	return op.Do(ctx, s.run, d, func(tx uow.Tx) (a awaited, err error) {
		if a.file, err = s.Keep.Get(ctx, tx, id); err != nil {
			return a, err
		}
		if a.file.OwnerID != s.run.Caller().ID {
			return a, domain.ErrNotYours
		}
		if a.file.Status != domain.Pending {
			return a, nil
		}
		a.upload, err = s.Keep.GetUpload(ctx, tx, id)
		if errors.Is(err, domain.ErrFilled) { // filled since the first look
			a.file, err = s.Keep.Get(ctx, tx, id)
		}
		return a, err
	})
}

// recorded reports a failure that the trail has heard of already, by the look
// at the file.
func recorded(err error) bool {
	return errors.Is(err, errs.ErrForbidden) || errors.Is(err, errs.ErrUnauthenticated) || errors.Is(err, domain.ErrNotFound)
}

// removeTimeout bounds the removal of an object, which no caller waits for.
const removeTimeout = 10 * time.Second

// removeLater takes away an object that no file names any more, once that is
// durable.
func (s *Files) removeLater(tx uow.Tx, object uuid.UUID) {
	if object != uuid.Nil {
		tx.AfterCommit(func(ctx context.Context) { s.remove(ctx, object) })
	}
}

// remove takes away an object. When the store is away the object stays behind,
// unreachable, until the sweeper finds it.
func (s *Files) remove(ctx context.Context, object uuid.UUID) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), removeTimeout)
	defer cancel()
	if err := s.Contents.Remove(ctx, object); err != nil {
		s.Log.WarnContext(ctx, "object left behind", "object", object, "error", err)
	}
}

// giveUpLater takes away what an upload has left in the store, but for the
// object that is kept, once that is durable.
func (s *Files) giveUpLater(tx uow.Tx, u domain.Upload, keep uuid.UUID) {
	if u.Object == keep || u.Method == domain.Through {
		return
	}
	if u.Multipart != "" {
		tx.AfterCommit(func(ctx context.Context) { s.abortParts(ctx, u.Object, u.Multipart) })
	}
	s.removeLater(tx, u.Object)
}

func (s *Files) abortParts(ctx context.Context, object uuid.UUID, multipart string) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), removeTimeout)
	defer cancel()
	if err := s.Contents.Abort(ctx, object, multipart); err != nil {
		s.Log.WarnContext(ctx, "parts left behind", "object", object, "error", err)
	}
}
