// Package domain holds the rules of files: what they may be called, how their
// content is received, and when it can be read.
package domain

import (
	"encoding/hex"
	"fmt"
	"mime"
	"time"

	"github.com/google/uuid"

	"github.com/insulahq/insula/platform/errs"
)

// Status is where a file is in its life. Content is served in Ready alone.
type Status string

// The statuses.
const (
	Pending     Status = "pending"     // declared; waits for its content
	Scanning    Status = "scanning"    // received; being looked at
	Ready       Status = "ready"       // can be read
	Quarantined Status = "quarantined" // found harmful; kept away from everybody
	Deleted     Status = "deleted"     // removed, and not yet forgotten
)

// File is what is known of a file. Its bytes are elsewhere: see Contents.
type File struct {
	ID          uuid.UUID
	Name        string
	Size        int64  // in bytes; declared first, and proven by the content
	ContentType string // as declared until there is content, then as the bytes show
	SHA256      []byte // of the content; nil until there is some
	Status      Status
	Object      uuid.UUID // names the bytes; uuid.Nil until there are some
	OwnerID     uuid.UUID
	Version     int64
	CreatedAt   time.Time
	UpdatedAt   time.Time
}

// View is what the trail sees of a file.
type View struct {
	Name        string `json:"name"`
	Size        int64  `json:"size"`
	ContentType string `json:"content_type"`
	SHA256      string `json:"sha256,omitempty"`
	Status      Status `json:"status"`
}

// View shows the file without its internals.
func (f File) View() View {
	return View{
		Name: f.Name, Size: f.Size, ContentType: f.ContentType, SHA256: hex.EncodeToString(f.SHA256), Status: f.Status,
	}
}

// unknownType is the content type of what nothing is known about.
const unknownType = "application/octet-stream"

// Declare makes a file that waits for its content. Limit is the greatest size
// allowed, in bytes. It returns ErrInvalid naming each wrong field, and
// ErrTooLarge.
func Declare(id, owner uuid.UUID, name string, size int64, contentType string, limit int64, now time.Time) (File, error) {
	invalid := ErrInvalid
	name, flaw := cleanName(name)
	if flaw != "" {
		invalid = invalid.At("#/name", flaw)
	}
	if size < 0 {
		invalid = invalid.At("#/size", "is negative")
	}
	contentType, ok := cleanType(contentType)
	if !ok {
		invalid = invalid.At("#/content_type", "is no content type such as text/plain")
	}
	switch {
	case len(invalid.Fields) > 0:
		return File{}, invalid
	case size > limit:
		return File{}, ErrTooLarge.At("#/size", fmt.Sprintf("is more than %d bytes", limit))
	}
	return File{
		ID: id, Name: name, Size: size, ContentType: contentType, Status: Pending,
		OwnerID: owner, Version: 1, CreatedAt: now, UpdatedAt: now,
	}, nil
}

const maxType = 255

// cleanType brings a declared content type into one form.
func cleanType(declared string) (string, bool) {
	if declared == "" {
		return unknownType, true
	}
	media, params, err := mime.ParseMediaType(declared)
	if err != nil {
		return "", false
	}
	clean := mime.FormatMediaType(media, params) // empty when the result could not be read back
	return clean, clean != "" && len(clean) <= maxType
}

// Expects checks that content of a length may be received: ErrFilled when the
// file does not wait for any, ErrSize when the length is not the declared one.
// A length of -1 is not known yet.
func (f File) Expects(length int64) error {
	switch {
	case f.Status != Pending:
		return ErrFilled
	case length >= 0 && length != f.Size:
		return ErrSize
	}
	return nil
}

// Fill gives the file its content, which has been stored under object.
func (f File) Fill(c Content, object uuid.UUID, now time.Time) (File, error) {
	if err := f.Expects(c.Size); err != nil {
		return f, err
	}
	f.ContentType, f.SHA256, f.Object = c.ContentType, c.SHA256, object
	f.Status, f.UpdatedAt = Ready, now
	return f, nil
}

// Readable returns ErrNotReady for a file whose content must not be served.
func (f File) Readable() error {
	if f.Status != Ready {
		return ErrNotReady
	}
	return nil
}

// AnyVersion stands for whatever version is current.
const AnyVersion int64 = 0

// At checks that a version is the current one; errs.ErrPreconditionFailed.
func (f File) At(version int64) error {
	if version != AnyVersion && version != f.Version {
		return errs.ErrPreconditionFailed
	}
	return nil
}
