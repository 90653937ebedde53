// Package archive is the form in which one tenant is kept outside the database:
// a tar file that is written and read as a stream, in constant memory.
//
// Its entries are, in this order:
//
//	header.json                    whose rows they are, and of which schema
//	tables/<table>/000001.copy.gz  rows as COPY writes them; a table may take many entries
//	files/<id>                     the contents of files
//	manifest.json                  rows, bytes and SHA-256 of each part
//
// The sums can be known only at the end, so an archive without its manifest has
// been cut. Any tar reads it, and `zcat tables/users/*` are the rows of users.
package archive

import (
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"
)

// Format is the version of the form that this package writes and reads.
const Format = 1

// ErrCorrupt says that an archive is not what was written: cut, changed, or
// something else altogether.
var ErrCorrupt = errors.New("the archive is damaged")

// Header says whose archive it is.
type Header struct {
	Format      int       `json:"format"`
	TenantID    uuid.UUID `json:"tenant_id"`
	Slug        string    `json:"slug"`
	Name        string    `json:"name"`
	Version     int64     `json:"schema_version"`     // newest migration of the schema
	Fingerprint string    `json:"schema_fingerprint"` // of the schema's catalog
	At          time.Time `json:"at"`                 // the instant that the rows are of
	Tables      []Table   `json:"tables"`             // in the order in which their rows come
}

// Table is a table of the archive.
type Table struct {
	Name    string   `json:"name"`
	Columns []string `json:"columns"` // in the order of their values in a row
}

// Part is what the manifest says of a table, or of all files together.
type Part struct {
	Name   string `json:"name"`
	Count  int64  `json:"count"` // rows, or files
	Bytes  int64  `json:"bytes"` // before compression
	SHA256 string `json:"sha256"`
}

// Manifest is the end of an archive.
type Manifest struct {
	Tables []Part `json:"tables"`
	Files  Part   `json:"files"`
}

// Rows counts the rows of all tables.
func (m Manifest) Rows() (n int64) {
	for _, t := range m.Tables {
		n += t.Count
	}
	return n
}

const (
	headerName   = "header.json"
	manifestName = "manifest.json"
	tablesFolder = "tables/"
	filesFolder  = "files/"
	rowsSuffix   = ".copy.gz"
	filesPart    = "files"
)

// chunkBytes is how much of a table is compressed into one entry; a longer row
// makes a larger one. maxRows bounds what an entry unpacks to, so that one made
// by somebody else cannot fill the memory; maxText bounds what is read into
// memory besides rows.
const (
	chunkBytes = 4 << 20
	maxRows    = 64 << 20
	maxText    = 16 << 20
)

// ErrRowTooLarge refuses a row that no archive takes: 64 MiB in the text form
// of COPY.
var ErrRowTooLarge = errors.New("a row is too large for an archive")

func corrupt(format string, args ...any) error {
	return fmt.Errorf("%w: "+format, append([]any{ErrCorrupt}, args...)...)
}
