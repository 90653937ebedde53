package domain

import (
	"context"
	"io"
	"time"

	"github.com/google/uuid"
)

// Contents keeps the bytes of the files of one tenant, as objects that are
// written once. All methods return errs.ErrUnavailable when the store is away.
type Contents interface {
	// Put stores size bytes of r. When r fails, nothing is stored and its error
	// is returned; less or more than size is ErrSize.
	Put(ctx context.Context, object uuid.UUID, r io.Reader, size int64, contentType string) error
	// Open reads length bytes from an offset on; the caller closes. ErrLost when
	// there is no such object.
	Open(ctx context.Context, object uuid.UUID, from, length int64) (io.ReadCloser, error)
	// Stat tells what is stored; ErrIncomplete when nothing is.
	Stat(ctx context.Context, object uuid.UUID) (Stat, error)
	// Remove deletes an object. That there is none is no error.
	Remove(ctx context.Context, object uuid.UUID) error
	Direct
	Multiparts
	Inventory
}

// Stat is what the store knows of an object.
type Stat struct {
	Size   int64
	SHA256 []byte // nil where the store has not checked it
}

// Link lets a client act on one object without credentials: one method, for
// some minutes. The header must be sent as it is.
type Link struct {
	Method  string
	URL     string
	Header  map[string]string
	Expires time.Time
}

// Direct makes links to the store.
type Direct interface {
	// LinkPut lets a client store an object of exactly this size, type and,
	// when it is known, SHA-256, once.
	LinkPut(ctx context.Context, object uuid.UUID, size int64, contentType string, sha256 []byte, life time.Duration) (Link, error)
	// LinkGet lets a client read an object, with these headers in the answer.
	LinkGet(ctx context.Context, object uuid.UUID, contentType, disposition string, life time.Duration) (Link, error)
	// LinkPart lets a client store one part of exactly this size.
	LinkPart(ctx context.Context, object uuid.UUID, multipart string, number int32, size int64, life time.Duration) (Link, error)
}

// Multiparts are uploads in parts.
type Multiparts interface {
	// Begin starts one.
	Begin(ctx context.Context, object uuid.UUID, contentType string) (multipart string, err error)
	// Parts lists what has arrived; ErrFilled when the upload is over.
	Parts(ctx context.Context, object uuid.UUID, multipart string) ([]Stored, error)
	// Assemble makes an object of the parts; ErrFilled when the upload is
	// over, ErrIncomplete when the parts do not fit.
	Assemble(ctx context.Context, object uuid.UUID, multipart string, parts []Stored) error
	// Abort ends one and removes its parts. That there is none is no error.
	Abort(ctx context.Context, object uuid.UUID, multipart string) error
}
