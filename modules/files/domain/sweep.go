package domain

import (
	"bytes"
	"context"
	"iter"
	"time"

	"github.com/google/uuid"

	"github.com/insulahq/insula/platform/uow"
)

// Due is a file for which it is time, since when.
type Due struct {
	ID    uuid.UUID
	Since time.Time
}

// Named is an object that a file names.
type Named struct {
	Object uuid.UUID
	File   uuid.UUID
	Lost   bool // whether a sweep has found before that the store does not have it
}

// Ledger finds what a sweep must look at. Lists begin after the one given, and
// end with one that has fewer than limit.
type Ledger interface {
	// ExpiredUploads are pending files whose upload was to end before a time.
	ExpiredUploads(ctx context.Context, tx uow.Tx, before time.Time, after Due, limit int) ([]Due, error)
	// ExpiredDeletions are files that were deleted before a time.
	ExpiredDeletions(ctx context.Context, tx uow.Tx, before time.Time, after Due, limit int) ([]Due, error)
	// Stuck are files that have been scanning since before a time.
	Stuck(ctx context.Context, tx uow.Tx, before time.Time, after Due, limit int) ([]Due, error)
	// NamedObjects are the objects that files name, in the order of their ids.
	NamedObjects(ctx context.Context, tx uow.Tx, after uuid.UUID, limit int) ([]Named, error)
	// IsNamed reports whether a file or an upload names an object.
	IsNamed(ctx context.Context, tx uow.Tx, object uuid.UUID) (bool, error)
	// IsOpen reports whether an upload in parts is that of a file.
	IsOpen(ctx context.Context, tx uow.Tx, object uuid.UUID, multipart string) (bool, error)
}

// Found is an object that the store has.
type Found struct {
	Object   uuid.UUID
	Size     int64
	Modified time.Time
}

// Begun is an upload in parts that the store keeps.
type Begun struct {
	Object    uuid.UUID
	Multipart string
	At        time.Time
}

// Inventory walks through what the store has of a tenant. What is none of
// ours is left out; a walk that breaks off ends with errs.ErrUnavailable.
type Inventory interface {
	// Objects are in the order of their ids.
	Objects(ctx context.Context) iter.Seq2[Found, error]
	// Unfinished are uploads in parts.
	Unfinished(ctx context.Context) iter.Seq2[Begun, error]
}

// ReasonLost is why a file whose content the store has lost is kept from
// being read.
var ReasonLost = ErrLost.Code

// Lose keeps a file from being read whose content is gone.
func (f File) Lose(now time.Time) (File, error) {
	if f.Status != Ready {
		return f, ErrNotReady
	}
	f.Status, f.Reason, f.UpdatedAt = Quarantined, ReasonLost, now
	return f, nil
}

// Lost reports whether the content of the file is lost. It may come back, so
// the file keeps its place among the versions of its line.
func (f File) Lost() bool { return f.Status == Quarantined && f.Reason == ReasonLost }

// Find lets a file be read again whose content was lost and has come back;
// ErrFilled when it was not lost, ErrSize or ErrChecksum when what has come
// is other content.
func (f File) Find(c Content, now time.Time) (File, error) {
	switch {
	case !f.Lost():
		return f, ErrFilled
	case c.Size != f.Size:
		return f, ErrSize
	case !bytes.Equal(c.SHA256, f.SHA256):
		return f, ErrChecksum
	}
	f.Status, f.Reason, f.UpdatedAt = Ready, "", now
	return f, nil
}
