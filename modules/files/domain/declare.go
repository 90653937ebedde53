package domain

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"mime"
	"strings"
	"time"

	"github.com/google/uuid"
)

// unknownType is the content type of what nothing is known about.
const unknownType = "application/octet-stream"

// Declaration is what is said of a file before its content comes.
type Declaration struct {
	Folder      string
	Name        string
	Size        int64 // in bytes
	ContentType string
	SHA256      string // in hex; empty when the sender does not know it
	Metadata    Metadata
}

// Declare makes a file that waits for its content, and the upload that is to
// bring it under the name object. It returns ErrInvalid naming each wrong
// field, ErrTooLarge, and ErrType.
func Declare(id, object, owner uuid.UUID, d Declaration, p Policy, now time.Time) (File, Upload, error) {
	f := File{
		ID: id, Line: id, Size: d.Size, Status: Pending, Metadata: d.Metadata, OwnerID: owner, Version: 1, CreatedAt: now, UpdatedAt: now,
	}
	u := Upload{FileID: id, Object: object, ExpiresAt: now.Add(p.UploadTTL)}
	u.Method, u.PartSize = p.plan(d.Size)
	if err := describe(&f, &u, d); err != nil {
		return File{}, Upload{}, err
	}
	switch {
	case d.Size > p.MaxBytes:
		return File{}, Upload{}, ErrTooLarge.At("#/size", fmt.Sprintf("is more than %d bytes", p.MaxBytes))
	case d.ContentType != "" && !p.Takes(f.ContentType):
		return File{}, Upload{}, ErrType.At("#/content_type", "is not taken here")
	}
	return f, u, nil
}

// describe takes over what a declaration says in words.
func describe(f *File, u *Upload, d Declaration) error {
	invalid := ErrInvalid
	var ok bool
	var flaw string
	if f.Folder, flaw = CleanFolder(d.Folder); flaw != "" {
		invalid = invalid.At("#/folder", flaw)
	}
	if f.Name, flaw = cleanName(d.Name); flaw != "" {
		invalid = invalid.At("#/name", flaw)
	}
	if d.Size < 0 {
		invalid = invalid.At("#/size", "is negative")
	}
	if f.ContentType, ok = cleanType(d.ContentType); !ok {
		invalid = invalid.At("#/content_type", "is no content type such as text/plain")
	}
	if u.SHA256, ok = cleanSum(d.SHA256); !ok {
		invalid = invalid.At("#/sha256", "is no SHA-256 in hex")
	}
	if flaw := d.Metadata.flaw(); flaw != "" {
		invalid = invalid.At("#/metadata", flaw)
	}
	if len(invalid.Fields) > 0 {
		return invalid
	}
	return nil
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
	return clean, clean != "" && len(clean) <= maxType && !strings.ContainsFunc(clean, unprintable)
}

func cleanSum(declared string) ([]byte, bool) {
	if declared == "" {
		return nil, true
	}
	sum, err := hex.DecodeString(declared)
	return sum, err == nil && len(sum) == sha256.Size
}
