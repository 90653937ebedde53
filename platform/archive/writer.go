package archive

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/google/uuid"
)

// Writer writes an archive: first the tables that the header names, in its
// order, then files, then Close.
type Writer struct {
	tar    *tar.Writer
	header Header
	tables []Part
	files  *sum
}

// NewWriter begins an archive.
func NewWriter(w io.Writer, h Header) (*Writer, error) {
	h.Format = Format
	a := &Writer{tar: tar.NewWriter(w), header: h, files: newSum(filesPart)}
	return a, a.document(headerName, h)
}

// Table adds the rows of the next table, which fill writes in the text form of
// COPY: a line each.
func (a *Writer) Table(fill func(io.Writer) error) error {
	if len(a.tables) == len(a.header.Tables) {
		return errors.New("archive: more tables than its header names")
	}
	rows := &rowWriter{archive: a, sum: newSum(a.header.Tables[len(a.tables)].Name)}
	if err := fill(rows); err != nil {
		return err
	}
	if err := rows.flush(len(rows.pending)); err != nil {
		return err
	}
	a.tables = append(a.tables, rows.sum.part())
	return nil
}

// File adds the content of a file, which must be size bytes.
func (a *Writer) File(id uuid.UUID, size int64, r io.Reader) error {
	if err := a.begin(filesFolder+id.String(), size); err != nil {
		return err
	}
	a.files.file(id, size)
	n, err := io.Copy(io.MultiWriter(a.tar, a.files), r)
	if err == nil && n != size {
		err = fmt.Errorf("archive: file %s has %d bytes, not %d", id, n, size)
	}
	return err
}

// Close ends the archive with its manifest.
func (a *Writer) Close() (Manifest, error) {
	if len(a.tables) != len(a.header.Tables) {
		return Manifest{}, errors.New("archive: fewer tables than its header names")
	}
	m := Manifest{Tables: a.tables, Files: a.files.part()}
	if err := a.document(manifestName, m); err != nil {
		return m, err
	}
	return m, a.tar.Close()
}

func (a *Writer) document(name string, v any) error {
	text, err := json.MarshalIndent(v, "", "  ")
	if err != nil {
		return fmt.Errorf("archive: %s: %w", name, err)
	}
	return a.entry(name, append(text, '\n'))
}

func (a *Writer) entry(name string, content []byte) error {
	if err := a.begin(name, int64(len(content))); err != nil {
		return err
	}
	_, err := a.tar.Write(content)
	return err
}

func (a *Writer) begin(name string, size int64) error {
	return a.tar.WriteHeader(&tar.Header{
		Typeflag: tar.TypeReg, Name: name, Size: size, Mode: 0o600, ModTime: a.header.At.Truncate(time.Second), Format: tar.FormatPAX,
	})
}

// rowWriter cuts rows into entries. A line break inside a value is written as
// \n by COPY, so a real one always ends a row.
type rowWriter struct {
	archive *Writer
	sum     *sum
	entries int
	pending []byte
}

// Write implements io.Writer.
func (w *rowWriter) Write(p []byte) (int, error) {
	w.pending = append(w.pending, p...)
	if len(w.pending) >= chunkBytes {
		if whole := bytes.LastIndexByte(w.pending, '\n') + 1; whole > 0 {
			return len(p), w.flush(whole)
		}
	}
	if len(w.pending) > maxRows {
		return 0, fmt.Errorf("%w: in table %s", ErrRowTooLarge, w.sum.name)
	}
	return len(p), nil
}

// flush writes the first n bytes, which end with a row.
func (w *rowWriter) flush(n int) error {
	if n == 0 {
		return nil
	}
	chunk := w.pending[:n]
	_, _ = w.sum.Write(chunk) // never fails
	w.sum.count += int64(bytes.Count(chunk, []byte{'\n'}))
	var packed bytes.Buffer
	z, err := gzip.NewWriterLevel(&packed, gzip.BestSpeed)
	if err != nil {
		return err
	}
	if _, err := z.Write(chunk); err != nil {
		return err
	}
	if err := z.Close(); err != nil {
		return err
	}
	w.entries++
	name := fmt.Sprintf("%s%s/%06d%s", tablesFolder, w.sum.name, w.entries, rowsSuffix)
	if err := w.archive.entry(name, packed.Bytes()); err != nil {
		return err
	}
	w.pending = append(w.pending[:0], w.pending[n:]...)
	return nil
}
