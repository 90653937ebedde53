// Package domain holds the rules of files: what they may be called, how their
// content is received, and when it can be read.
package domain

import (
	"encoding/hex"
	"strings"
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
	Quarantined Status = "quarantined" // found harmful, or lost; kept away from everybody
	Deleted     Status = "deleted"     // can be brought back for a while
)

// File is what is known of a file. Its bytes are elsewhere: see Contents. A
// file has one content for ever; a new content under the same name is another
// File of the same Line.
type File struct {
	ID          uuid.UUID
	Line        uuid.UUID // shared by the versions of what carries one name
	Folder      string    // "" or "a/b/"
	Name        string
	Size        int64  // in bytes; declared first, and proven by the content
	ContentType string // as declared until there is content, then as the bytes show
	SHA256      []byte // of the content; nil until it was read
	Status      Status
	Reason      string    // why content was refused (an error code) or kept away (what was found)
	Object      uuid.UUID // names the bytes; uuid.Nil until there are some
	Metadata    Metadata
	OwnerID     uuid.UUID
	Version     int64
	CreatedAt   time.Time
	UpdatedAt   time.Time
	Superseded  time.Time // when a newer version took the name; zero for what carries it
	DeletedAt   time.Time // zero unless Deleted
}

// View is what the trail sees of a file.
type View struct {
	Folder      string   `json:"folder,omitempty"`
	Name        string   `json:"name"`
	Size        int64    `json:"size"`
	ContentType string   `json:"content_type"`
	SHA256      string   `json:"sha256,omitempty"`
	Status      Status   `json:"status"`
	Reason      string   `json:"reason,omitempty"`
	Metadata    Metadata `json:"metadata,omitempty"`
	Earlier     bool     `json:"earlier_version,omitempty"`
}

// View shows the file without its internals.
func (f File) View() View {
	return View{
		Folder: f.Folder, Name: f.Name, Size: f.Size, ContentType: f.ContentType, SHA256: hex.EncodeToString(f.SHA256),
		Status: f.Status, Reason: f.Reason, Metadata: f.Metadata, Earlier: f.Earlier(),
	}
}

// Earlier reports whether a newer version has taken the name.
func (f File) Earlier() bool { return !f.Superseded.IsZero() }

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

// Hold keeps content that has been stored under object, and nobody has read
// through yet.
func (f File) Hold(object uuid.UUID, now time.Time) (File, error) {
	if f.Status != Pending {
		return f, ErrFilled
	}
	f.Status, f.Object, f.Reason, f.UpdatedAt = Scanning, object, "", now
	return f, nil
}

// Fill gives the file its content, which has been stored under object.
func (f File) Fill(c Content, object uuid.UUID, now time.Time) (File, error) {
	held := f.Status == Scanning && f.Object == object
	switch {
	case f.Status != Pending && !held:
		return f, ErrFilled
	case c.Size != f.Size:
		return f, ErrSize
	}
	f.ContentType, f.SHA256, f.Object = c.ContentType, c.SHA256, object
	f.Status, f.Reason, f.UpdatedAt = Ready, "", now
	return f, nil
}

// Refuse sends content away that is not what was declared: the file waits
// for its content again, and says why.
func (f File) Refuse(why *errs.Error, now time.Time) (File, error) {
	if f.Status != Pending && f.Status != Scanning {
		return f, ErrFilled
	}
	f.Status, f.Reason, f.Object, f.UpdatedAt = Pending, why.Code, uuid.Nil, now
	return f, nil
}

// Quarantine keeps content away from everybody because of what was found.
func (f File) Quarantine(c Content, finding string, now time.Time) (File, error) {
	if f.Status != Scanning {
		return f, ErrFilled
	}
	f.ContentType, f.SHA256 = c.ContentType, c.SHA256
	f.Status, f.Reason, f.UpdatedAt = Quarantined, reasonOf(finding), now
	return f, nil
}

// reasonOf is a finding as a reason. What a scanner calls its findings is free,
// and one that reads like an error code must not be taken for that.
func reasonOf(finding string) string {
	if strings.HasPrefix(finding, "files.") {
		return "scanner: " + finding
	}
	return finding
}

// Readable returns ErrNotReady, ErrQuarantined, ErrLost or ErrDeleted for a
// file whose content must not or can not be served.
func (f File) Readable() error {
	switch f.Status {
	case Ready:
		return nil
	case Quarantined:
		if f.Lost() {
			return ErrLost
		}
		return ErrQuarantined
	case Deleted:
		return ErrDeleted
	}
	return ErrNotReady
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
