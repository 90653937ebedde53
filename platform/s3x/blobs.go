// Package s3x keeps the contents of files in an S3 bucket, each under a key that its tenant is part of.
package s3x

import (
	"context"
	"errors"
	"io"
	"iter"
	"net/http"
	"time"

	"github.com/google/uuid"
)

var (
	// ErrNotFound says that there is no object under the key.
	ErrNotFound = errors.New("no such object")
	// ErrRange says that the object ends before the range begins.
	ErrRange = errors.New("range outside the object")
	// ErrSize says that the content is not as long as announced. Nothing was stored.
	ErrSize = errors.New("content has another size than announced")
	// ErrUnavailable says that the store could not be reached or would not serve us.
	ErrUnavailable = errors.New("object store is unavailable")
)

// Object describes a stored object.
type Object struct {
	Key         Key
	Size        int64     // in bytes
	ETag        string    // as S3 gives it, without quotes; changes with the content
	SHA256      string    // of the content, in hex; empty where the store does not keep it
	ContentType string    // not known from a listing
	Modified    time.Time // not known from Put
}

// Range selects a part of an object: Length bytes from Offset on, or all that follow when Length is 0. The
// zero Range is the whole object.
type Range struct {
	Offset, Length int64
}

// Content is an object being read. The caller must close it.
type Content struct {
	io.ReadCloser
	Object Object // its Size is that of the whole object
	Length int64  // bytes that will be read
}

// Upload says what a client will be allowed to store through a link.
type Upload struct {
	Size        int64 // at least 1: S3 does not bind a link to being empty
	ContentType string
	SHA256      string // in hex; when set, the store refuses other content
	Once        bool   // when set, the store refuses to replace an object that is there already
}

// Download says how an object is presented to a client that follows a link.
type Download struct {
	ContentType string
	Disposition string // the Content-Disposition header
}

// Link lets a client act on one object without credentials: one method, one key, for a few minutes. The
// client must send the header as it is.
type Link struct {
	Method  string
	URL     string
	Header  http.Header
	Expires time.Time
}

// Blobs is the store of file contents as modules see it. Errors wrap those of this package, or are those of
// the context or of the reader that was handed in.
type Blobs interface {
	// Put stores size bytes read from r, in constant memory, and replaces what was there. Another size is
	// ErrSize.
	Put(ctx context.Context, key Key, r io.Reader, size int64, contentType string) (Object, error)
	// Stream stores all that r has, in constant memory, when it is not known how much that is. About is a guess
	// in bytes: far above it there may be more than the store takes. Nothing shows under the key before the end of
	// r; after an error of r, which is returned, nothing ever does.
	Stream(ctx context.Context, key Key, r io.Reader, about int64, contentType string) (Object, error)
	// Discard removes an object and what unfinished uploads have left under its key. That there is nothing is no
	// error.
	Discard(ctx context.Context, key Key) error
	// Get reads an object or a part of it; ErrNotFound, ErrRange.
	Get(ctx context.Context, key Key, part Range) (Content, error)
	// Head describes an object; ErrNotFound.
	Head(ctx context.Context, key Key) (Object, error)
	// Delete removes an object. That there was none is no error.
	Delete(ctx context.Context, key Key) error
	// List walks through the files of a tenant in the order of their keys. An object that is none of ours
	// comes as an error, and the walk goes on; it ends with an error that wraps ErrUnavailable. Evidence is
	// passed over: whoever sweeps files never meets it.
	List(ctx context.Context, tenantID uuid.UUID) iter.Seq2[Object, error]
	// ListEvidence walks through the evidence of one sort in the order of its numbers, from the one after
	// after on.
	ListEvidence(ctx context.Context, tenantID uuid.UUID, e Evidence, after int64) iter.Seq2[int64, error]
	// PresignPut returns the link to store exactly what u says.
	PresignPut(ctx context.Context, key Key, u Upload, life time.Duration) (Link, error)
	// PresignGet returns the link to read an object.
	PresignGet(ctx context.Context, key Key, d Download, life time.Duration) (Link, error)
	// Begin starts an upload in parts and returns what names it. Nothing shows under the key before Complete.
	Begin(ctx context.Context, key Key, contentType string) (upload string, err error)
	// PresignPart returns the link to store one part of exactly this size; the last may be smaller than
	// MinPartBytes.
	PresignPart(ctx context.Context, key Key, upload string, number int32, size int64, life time.Duration) (Link, error)
	// Parts lists the stored parts by number; ErrNotFound when there is no such upload (any more).
	Parts(ctx context.Context, key Key, upload string) ([]Part, error)
	// Complete makes an object of the parts given, which must be by number, and replaces what was there;
	// ErrNotFound when there is no such upload, ErrParts. Completing again is ErrNotFound or, where the store
	// still knows, nothing.
	Complete(ctx context.Context, key Key, upload string, parts []Part) error
	// Abort ends an upload and removes its parts. That there is none is no error.
	Abort(ctx context.Context, key Key, upload string) error
	// Unfinished walks through the uploads in parts of a tenant that were neither completed nor aborted.
	// Errors come as in List.
	Unfinished(ctx context.Context, tenantID uuid.UUID) iter.Seq2[Unfinished, error]
	// Stock counts everything that is kept of a tenant, whatever its sort.
	Stock(ctx context.Context, tenantID uuid.UUID) (Stock, error)
	// Purge removes everything that is kept of a tenant, whatever its sort, unfinished uploads too. After a
	// failure it can be repeated.
	Purge(ctx context.Context, tenantID uuid.UUID) error
	// Ready reports whether the store answers and the bucket is there.
	Ready(ctx context.Context) error
}
