package domain

import (
	"math"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/google/uuid"
	"golang.org/x/text/unicode/norm"
)

// EndOfTime is after everything.
var EndOfTime = time.Date(9999, 1, 1, 0, 0, 0, 0, time.UTC)

// Spec selects files of a list. Earlier versions are in none, and
// deleted files, earlier versions among them, only where Status asks for them.
type Spec struct {
	Status     Status    // empty for every status but Deleted
	Folder     *string   // files of exactly this folder; nil for any
	Below      string    // files of this folder and all inside it; empty for any, and where Folder is set
	NamePrefix string    // what names begin with; empty for every name
	TypePrefix string    // what content types begin with: "image/"; empty for every type
	OwnerID    uuid.UUID // uuid.Nil for everybody's
	MinSize    int64     // in bytes
	MaxSize    int64     // in bytes
	From, To   time.Time // created at From or later, and before To
}

// Order is the order of a list. One order serves one filter at a time: the one
// that narrows the list best decides.
type Order uint8

// The orders. Each ends with the id, so that no two files have one place.
const (
	Newest Order = iota
	ByPath       // folder and name, as their characters stand in Unicode
	ByName       // name
	BySize       // largest first
)

// Order is the order in which files are listed.
func (s Spec) Order() Order {
	switch {
	case s.Status != "" && s.Status != Ready:
		return Newest
	case s.Folder != nil:
		return ByPath
	case s.NamePrefix != "":
		return ByName
	case s.Below != "":
		return ByPath
	case s.OwnerID == uuid.Nil && s.TypePrefix == "" && s.Sized():
		return BySize
	}
	return Newest
}

// Sized reports whether s asks for files of certain sizes.
func (s Spec) Sized() bool { return s.MinSize > 0 || s.MaxSize < math.MaxInt64 }

// AnySpec selects every file.
func AnySpec() Spec { return Spec{MaxSize: math.MaxInt64, To: EndOfTime} }

// Clean brings the texts of a Spec into the form in which they are compared.
// It returns ErrInvalid for what no file can have.
func (s Spec) Clean() (Spec, error) {
	invalid := ErrInvalid
	var flaw string
	if s.Folder != nil {
		var folder string
		if folder, flaw = CleanFolder(*s.Folder); flaw != "" {
			invalid = invalid.At("query.folder", flaw)
		}
		s.Folder = &folder
	}
	if s.Below, flaw = CleanFolder(s.Below); flaw != "" {
		invalid = invalid.At("query.below", flaw)
	}
	if s.Folder != nil {
		if !strings.HasPrefix(*s.Folder, s.Below) {
			invalid = invalid.At("query.below", "does not contain the folder")
		}
		s.Below = ""
	}
	if !printable(s.NamePrefix) {
		invalid = invalid.At("query.name", "has characters that no name has")
	}
	if !printable(s.TypePrefix) {
		invalid = invalid.At("query.type", "has characters that no type has")
	}
	if len(invalid.Fields) > 0 {
		return Spec{}, invalid
	}
	s.NamePrefix, s.TypePrefix = norm.NFC.String(s.NamePrefix), strings.ToLower(strings.TrimSuffix(s.TypePrefix, "*"))
	return s, nil
}

func printable(text string) bool {
	return utf8.ValidString(text) && !strings.ContainsFunc(text, unprintable)
}

// Matches is the rule that the list queries implement.
func (s Spec) Matches(f File) bool {
	return (s.Status == f.Status || s.Status == "" && f.Status != Deleted) && (!f.Earlier() || f.Status == Deleted) &&
		(s.Folder == nil || *s.Folder == f.Folder) && strings.HasPrefix(f.Folder, s.Below) &&
		strings.HasPrefix(f.Name, s.NamePrefix) && strings.HasPrefix(f.ContentType, s.TypePrefix) &&
		(s.OwnerID == uuid.Nil || s.OwnerID == f.OwnerID) &&
		s.MinSize <= f.Size && f.Size <= s.MaxSize && !f.CreatedAt.Before(s.From) && f.CreatedAt.Before(s.To)
}
