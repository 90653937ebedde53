package archive_test

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"testing"
	"testing/iotest"
	"time"

	"github.com/google/uuid"
	"pgregory.net/rapid"

	"github.com/insulahq/insula/platform/archive"
)

// seen is what a visitor was shown.
type seen struct {
	rows  map[string][]byte
	files map[uuid.UUID][]byte
	fail  error
}

func look() *seen { return &seen{rows: map[string][]byte{}, files: map[uuid.UUID][]byte{}} }

func (s *seen) Begin(archive.Header) error { return nil }

func (s *seen) Rows(t archive.Table, rows []byte) error {
	s.rows[t.Name] = append(s.rows[t.Name], rows...)
	return s.fail
}

func (s *seen) File(id uuid.UUID, _ int64, content io.Reader) (err error) {
	s.files[id], err = io.ReadAll(content)
	return errors.Join(err, s.fail)
}

var header = archive.Header{
	TenantID: uuid.Max, Slug: "acme", Name: "Acme", Version: 20261130000001, Fingerprint: "f", At: time.Date(2026, 5, 1, 12, 0, 0, 5, time.UTC),
	Tables: []archive.Table{{Name: "users", Columns: []string{"id", "name"}}, {Name: "empty", Columns: []string{"id"}}, {Name: "notes", Columns: []string{"id"}}},
}

// write makes an archive of some rows and files, in pieces of a size.
func write(t interface{ Fatal(...any) }, rows map[string][]byte, files map[uuid.UUID][]byte, piece int) ([]byte, archive.Manifest) {
	var out bytes.Buffer
	w, err := archive.NewWriter(&out, header)
	if err != nil {
		t.Fatal(err)
	}
	for _, table := range header.Tables {
		err := w.Table(func(to io.Writer) error {
			for part := range slices.Chunk(rows[table.Name], piece) {
				if _, err := to.Write(part); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	for _, id := range slices.SortedFunc(maps.Keys(files), func(a, b uuid.UUID) int { return bytes.Compare(a[:], b[:]) }) {
		if err := w.File(id, int64(len(files[id])), bytes.NewReader(files[id])); err != nil {
			t.Fatal(err)
		}
	}
	m, err := w.Close()
	if err != nil {
		t.Fatal(err)
	}
	return out.Bytes(), m
}

func lines(n int) []byte {
	var b bytes.Buffer
	for i := range n {
		fmt.Fprintf(&b, "%d\tname of %d\n", i, i)
	}
	return b.Bytes()
}

// sample has a table of several entries.
func sample() (map[string][]byte, map[uuid.UUID][]byte) {
	return map[string][]byte{"users": lines(300_000), "notes": []byte("1\n")},
		map[uuid.UUID][]byte{{1}: []byte("hello"), {2}: {}, {3}: bytes.Repeat([]byte("x"), 100_000)}
}

func TestWhatIsWrittenIsRead(t *testing.T) {
	rows, files := sample()
	text, written := write(t, rows, files, 1000)
	got := look()
	h, m, err := archive.Read(iotest.HalfReader(bytes.NewReader(text)), got)
	if err != nil {
		t.Fatal(err)
	}
	if h.Slug != header.Slug || !h.At.Equal(header.At) || h.Version != header.Version || len(h.Tables) != 3 {
		t.Errorf("header %+v", h)
	}
	if m.Rows() != 300_001 || m.Files.Count != 3 || m.Files.Bytes != 100_005 || m.Files != written.Files || !slices.Equal(m.Tables, written.Tables) {
		t.Errorf("manifest %+v, written %+v", m, written)
	}
	if !maps.EqualFunc(got.rows, rows, bytes.Equal) || !maps.EqualFunc(got.files, files, bytes.Equal) {
		t.Error("other content came back")
	}
}

// However rows arrive and however long they are, they come back in whole rows.
func TestRowsStayWhole(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var users bytes.Buffer
		for _, n := range rapid.SliceOfN(rapid.IntRange(0, 3<<20), 0, 6).Draw(t, "lengths") {
			users.Write(append(bytes.Repeat([]byte("y"), n), '\n'))
		}
		text, _ := write(t, map[string][]byte{"users": users.Bytes()}, nil, rapid.IntRange(1<<10, 8<<20).Draw(t, "piece"))
		got := look()
		whole := wholeRows{got}
		if _, _, err := archive.Read(bytes.NewReader(text), whole); err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(got.rows["users"], users.Bytes()) {
			t.Fatal("other rows came back")
		}
	})
}

type wholeRows struct{ *seen }

func (w wholeRows) Rows(t archive.Table, rows []byte) error {
	if !bytes.HasSuffix(rows, []byte{'\n'}) {
		return errors.New("half a row")
	}
	return w.seen.Rows(t, rows)
}

// Wherever an archive is cut, and whichever byte of it is changed, it is
// refused.
func TestDamageIsFound(t *testing.T) {
	text, _ := write(t, map[string][]byte{"users": lines(200), "notes": []byte("1\n")}, map[uuid.UUID][]byte{{1}: []byte("hello"), {2}: bytes.Repeat([]byte("x"), 2000)}, 100)
	end := bytes.Index(text, []byte("manifest.json"))
	for cut := 0; cut < end+512; cut += 97 {
		if _, _, err := archive.Read(bytes.NewReader(text[:cut]), look()); !errors.Is(err, archive.ErrCorrupt) {
			t.Fatalf("cut at %d: %v", cut, err)
		}
	}
	content := bytes.Index(text, []byte("hello"))
	for _, at := range []int{content, content + 4, bytes.Index(text, []byte("xxxx")) + 1000, bytes.Index(text, []byte("tables/users")) + 560} {
		damaged := bytes.Clone(text)
		damaged[at] ^= 4
		if _, _, err := archive.Read(bytes.NewReader(damaged), look()); !errors.Is(err, archive.ErrCorrupt) {
			t.Errorf("byte %d changed: %v", at, err)
		}
	}
	if _, _, err := archive.Read(bytes.NewReader([]byte("no archive at all")), look()); !errors.Is(err, archive.ErrCorrupt) {
		t.Errorf("no archive: %v", err)
	}
}

// A source that breaks is not the archive's fault, and neither is a visitor
// that fails.
func TestWhoseFaultItIs(t *testing.T) {
	rows, files := sample()
	text, _ := write(t, rows, files, 1000)
	broken := errors.New("connection lost")
	for _, at := range []int{0, 100, len(text) / 2, len(text) - 3000} {
		source := io.MultiReader(bytes.NewReader(text[:at]), iotest.ErrReader(broken))
		if _, _, err := archive.Read(source, look()); !errors.Is(err, broken) || errors.Is(err, archive.ErrCorrupt) {
			t.Errorf("source broken at %d: %v", at, err)
		}
	}
	v := look()
	v.fail = io.ErrUnexpectedEOF
	if _, _, err := archive.Read(bytes.NewReader(text), v); !errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, archive.ErrCorrupt) {
		t.Errorf("visitor: %v", err)
	}
}

func TestAFileOfAnotherSizeIsNotWritten(t *testing.T) {
	for _, size := range []int64{4, 6} {
		w, err := archive.NewWriter(io.Discard, archive.Header{})
		if err != nil {
			t.Fatal(err)
		}
		if err := w.File(uuid.Max, size, bytes.NewReader([]byte("hello"))); err == nil {
			t.Errorf("five bytes passed for %d", size)
		}
	}
}

// TestNoEntryFillsTheMemory: a small entry that unpacks to much is refused
// before it has, and no archive is written that would be.
func TestNoEntryFillsTheMemory(t *testing.T) {
	huge := bytes.Repeat([]byte{'a'}, 65<<20)
	w, err := archive.NewWriter(io.Discard, header)
	if err != nil {
		t.Fatal(err)
	}
	err = w.Table(func(to io.Writer) error {
		_, err := to.Write(huge)
		return err
	})
	if !errors.Is(err, archive.ErrRowTooLarge) {
		t.Errorf("written: %v", err)
	}

	var bomb, packed bytes.Buffer
	z := gzip.NewWriter(&packed)
	_, err = z.Write(append(huge, '\n'))
	if err = errors.Join(err, z.Close()); err != nil {
		t.Fatal(err)
	}
	if _, err := archive.NewWriter(&bomb, header); err != nil {
		t.Fatal(err)
	}
	entries := tar.NewWriter(&bomb)
	err = entries.WriteHeader(&tar.Header{Typeflag: tar.TypeReg, Name: "tables/users/000001.copy.gz", Size: int64(packed.Len()), Mode: 0o600})
	if err == nil {
		_, err = entries.Write(packed.Bytes())
	}
	if err = errors.Join(err, entries.Close()); err != nil {
		t.Fatal(err)
	}
	shown := look()
	if _, _, err := archive.Read(&bomb, shown); !errors.Is(err, archive.ErrCorrupt) || len(shown.rows) > 0 {
		t.Errorf("read: %v, and %d tables were shown", err, len(shown.rows))
	}
}
