package archive

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"encoding/json"
	"io"
	"slices"
	"strings"

	"github.com/google/uuid"
)

// Visitor is shown an archive in its order. An error of its own ends the
// reading and is returned as it is.
type Visitor interface {
	// Begin is shown the header.
	Begin(Header) error
	// Rows is shown some rows of a table; the bytes are its own only until it
	// returns.
	Rows(t Table, rows []byte) error
	// File is shown the content of a file. What it leaves unread is read for it.
	File(id uuid.UUID, size int64, content io.Reader) error
}

// Read shows an archive to v and checks that all of it is there and as it was
// written. Until it has returned without an error, nothing that v was shown can
// be relied on. ErrCorrupt is the archive's fault; a source that breaks gives
// its own error.
func Read(source io.Reader, v Visitor) (Header, Manifest, error) {
	s := &watched{r: source}
	a := &reader{tar: tar.NewReader(s), visitor: v, files: newSum(filesPart)}
	err := a.read()
	switch {
	case s.err != nil:
		return a.header, a.manifest, s.err
	case a.visited != nil:
		return a.header, a.manifest, a.visited
	}
	return a.header, a.manifest, err
}

// watched tells an error of the source from the end that it has.
type watched struct {
	r   io.Reader
	err error
}

// Read implements io.Reader.
func (w *watched) Read(p []byte) (int, error) {
	n, err := w.r.Read(p)
	if err != nil && err != io.EOF {
		w.err = err
	}
	return n, err
}

type reader struct {
	tar      *tar.Reader
	visitor  Visitor
	visited  error // what the visitor said
	header   Header
	manifest Manifest
	tables   []*sum
	files    *sum
}

func (a *reader) read() error {
	if err := a.begin(); err != nil {
		return err
	}
	for {
		h, err := a.tar.Next()
		if err != nil {
			return corrupt("it ends without a manifest: %v", err)
		}
		switch {
		case h.Name == manifestName:
			return a.end()
		case strings.HasPrefix(h.Name, tablesFolder):
			err = a.rows(h.Name)
		case strings.HasPrefix(h.Name, filesFolder):
			err = a.file(h)
		default:
			err = corrupt("it has an entry %q", h.Name)
		}
		if err != nil {
			return err
		}
	}
}

func (a *reader) begin() error {
	h, err := a.tar.Next()
	if err != nil || h.Name != headerName {
		return corrupt("it does not begin with a header")
	}
	if err := a.document(headerName, &a.header); err != nil {
		return err
	}
	if a.header.Format != Format {
		return corrupt("its form is number %d, and this binary reads %d", a.header.Format, Format)
	}
	return a.visit(a.visitor.Begin(a.header))
}

func (a *reader) visit(err error) error {
	a.visited = err
	return err
}

func (a *reader) document(name string, v any) error {
	text, err := io.ReadAll(io.LimitReader(a.tar, maxText))
	if err != nil {
		return corrupt("%s: %v", name, err)
	}
	if err := json.Unmarshal(text, v); err != nil {
		return corrupt("%s: %v", name, err)
	}
	return nil
}

// rows reads an entry of a table: of the one before or of one after it.
func (a *reader) rows(name string) error {
	table, number, _ := strings.Cut(strings.TrimPrefix(name, tablesFolder), "/")
	at := slices.IndexFunc(a.header.Tables, func(t Table) bool { return t.Name == table })
	if at < 0 || at < len(a.tables)-1 || a.files.count > 0 || number == "" {
		return corrupt("%s is out of place", name)
	}
	for len(a.tables) <= at {
		a.tables = append(a.tables, newSum(a.header.Tables[len(a.tables)].Name))
	}
	z, err := gzip.NewReader(a.tar)
	if err != nil {
		return corrupt("%s: %v", name, err)
	}
	rows, err := io.ReadAll(io.LimitReader(z, maxRows+1))
	if err != nil {
		return corrupt("%s: %v", name, err)
	}
	if len(rows) > maxRows {
		return corrupt("%s unpacks to more than any entry has", name)
	}
	_, _ = a.tables[at].Write(rows) // never fails
	a.tables[at].count += int64(bytes.Count(rows, []byte{'\n'}))
	return a.visit(a.visitor.Rows(a.header.Tables[at], rows))
}

func (a *reader) file(h *tar.Header) error {
	id, err := uuid.Parse(strings.TrimPrefix(h.Name, filesFolder))
	if err != nil {
		return corrupt("%s is no file", h.Name)
	}
	a.files.file(id, h.Size)
	content := &watched{r: io.TeeReader(a.tar, a.files)}
	err = a.visitor.File(id, h.Size, content)
	if content.err != nil { // whatever the visitor makes of it
		return corrupt("%s: %v", h.Name, content.err)
	}
	if err != nil {
		return a.visit(err)
	}
	if _, err := io.Copy(io.Discard, content); err != nil {
		return corrupt("%s: %v", h.Name, err)
	}
	return nil
}

// end compares what was read with the manifest.
func (a *reader) end() error {
	if err := a.document(manifestName, &a.manifest); err != nil {
		return err
	}
	for len(a.tables) < len(a.header.Tables) {
		a.tables = append(a.tables, newSum(a.header.Tables[len(a.tables)].Name))
	}
	if len(a.manifest.Tables) != len(a.tables) {
		return corrupt("its manifest has %d tables, its header %d", len(a.manifest.Tables), len(a.tables))
	}
	for i, t := range a.tables {
		if got := t.part(); got != a.manifest.Tables[i] {
			return corrupt("table %s has %d rows with sum %s, not %d with %s", got.Name, got.Count, got.SHA256,
				a.manifest.Tables[i].Count, a.manifest.Tables[i].SHA256)
		}
	}
	if got := a.files.part(); got != a.manifest.Files {
		return corrupt("its %d files have the sum %s, not %d with %s", got.Count, got.SHA256, a.manifest.Files.Count, a.manifest.Files.SHA256)
	}
	if _, err := a.tar.Next(); err != io.EOF {
		return corrupt("it goes on after its manifest")
	}
	return nil
}
