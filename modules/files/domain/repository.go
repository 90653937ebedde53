package domain

import (
	"context"
	"io"
	"strings"
	"unicode/utf8"

	"github.com/google/uuid"
	"golang.org/x/text/unicode/norm"

	"github.com/insulahq/insula/platform/page"
	"github.com/insulahq/insula/platform/uow"
)

// Spec selects files of a list.
type Spec struct {
	Status     Status // empty for every status
	NamePrefix string // what names begin with; empty for every name
}

// NewSpec makes a Spec of what a caller asks for. It returns ErrInvalid for a
// beginning that no name can have.
func NewSpec(status Status, prefix string) (Spec, error) {
	if !utf8.ValidString(prefix) || strings.ContainsFunc(prefix, unprintable) {
		return Spec{}, ErrInvalid.At("query.name", "has characters that no name has")
	}
	return Spec{Status: status, NamePrefix: norm.NFC.String(prefix)}, nil
}

// Matches is the rule that the list query implements.
func (s Spec) Matches(f File) bool {
	return (s.Status == "" || s.Status == f.Status) && strings.HasPrefix(f.Name, s.NamePrefix)
}

// Repository keeps what is known of the files of a tenant.
type Repository interface {
	// Insert adds a file.
	Insert(ctx context.Context, tx uow.Tx, f File) error
	// Get finds a file; ErrNotFound.
	Get(ctx context.Context, tx uow.Tx, id uuid.UUID) (File, error)
	// Lock is Get, and keeps others from changing the file until the end of
	// the unit of work.
	Lock(ctx context.Context, tx uow.Tx, id uuid.UUID) (File, error)
	// List pages through files, newest first.
	List(ctx context.Context, tx uow.Tx, s Spec, r page.Request) (page.Page[File], error)
	// Update stores status and content of the version given and returns the
	// next version; ErrNotFound, errs.ErrPreconditionFailed.
	Update(ctx context.Context, tx uow.Tx, f File) (File, error)
	// Delete removes the version given; ErrNotFound, errs.ErrPreconditionFailed.
	Delete(ctx context.Context, tx uow.Tx, f File) error
}

// Contents keeps the bytes of the files of one tenant, as objects that are
// written once. All methods return errs.ErrUnavailable when the store is away.
type Contents interface {
	// Put stores size bytes of r. When r fails, nothing is stored and its error
	// is returned; less or more than size is ErrSize.
	Put(ctx context.Context, object uuid.UUID, r io.Reader, size int64, contentType string) error
	// Open reads length bytes from an offset on; the caller closes.
	Open(ctx context.Context, object uuid.UUID, from, length int64) (io.ReadCloser, error)
	// Remove deletes an object. That there is none is no error.
	Remove(ctx context.Context, object uuid.UUID) error
}
