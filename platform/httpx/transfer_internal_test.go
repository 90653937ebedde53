package httpx

import (
	"errors"
	"io"
	"mime"
	"os"
	"strings"
	"testing"
	"testing/iotest"
	"time"
	"unicode/utf8"

	"pgregory.net/rapid"

	"github.com/insulahq/insula/platform/errs"
)

func FuzzAttachment(f *testing.F) {
	for _, name := range []string{
		"report.pdf", "naïve résumé.txt", "Отчёт.pdf", "報告.pdf", `a"b\c.txt`, "a;b=c.txt", "100%.txt", "it's.txt", "a\r\nSet-Cookie: x=1", "👩‍👩‍👧.png", "", " ",
	} {
		f.Add(name)
	}
	f.Fuzz(func(t *testing.T, name string) {
		header := Attachment(name)
		for _, c := range []byte(header) {
			if c < ' ' || c > '~' {
				t.Fatalf("%q: byte %#x in the header", name, c)
			}
		}
		kind, params, err := mime.ParseMediaType(header)
		if err != nil || kind != "attachment" {
			t.Fatalf("%q: %s: %v", name, header, err)
		}
		if utf8.ValidString(name) && params["filename"] != name {
			t.Errorf("%q is read back as %q from %s", name, params["filename"], header)
		}
	})
}

func TestPartsLieWithinTheContent(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		size := rapid.Int64Range(0, 1000).Draw(t, "size")
		header := rapid.OneOf(
			rapid.StringMatching(`bytes=[0-9]{0,4}-[0-9]{0,4}`), rapid.StringMatching(`bytes= ?[-+0-9,]{0,12}`), rapid.String(),
		).Draw(t, "header")
		p, err := parseRange(header, size)
		switch {
		case err != nil:
			if !errors.Is(err, ErrRange) || size == 0 {
				t.Fatal(err)
			}
		case p.from < 0 || p.from+p.length > size:
			t.Fatalf("%+v of %d bytes", p, size)
		case p.partial && p.length == 0:
			t.Fatalf("a partial answer without a byte: %+v", p)
		case !p.partial && (p.from != 0 || p.length != size):
			t.Fatalf("neither a range nor everything: %+v of %d bytes", p, size)
		}
	})
}

func TestIncoming(t *testing.T) {
	cut := errors.New("connection reset by peer")
	for _, tc := range []struct {
		name string
		from io.Reader
		left int64
		want error
		got  string
	}{
		{"within", strings.NewReader("1234"), 5, nil, "1234"},
		{"just full", strings.NewReader("12345"), 5, nil, "12345"},
		{"nothing allowed, nothing there", strings.NewReader(""), 0, nil, ""},
		{"one too many", strings.NewReader("123456"), 5, errs.ErrTooLarge, ""},
		{"byte by byte", iotest.OneByteReader(strings.NewReader("123456")), 5, errs.ErrTooLarge, "12345"},
		{"stalled", io.MultiReader(strings.NewReader("12"), iotest.ErrReader(os.ErrDeadlineExceeded)), 5, ErrStalled, "12"},
		{"broken", io.MultiReader(strings.NewReader("12"), iotest.ErrReader(cut)), 5, ErrInterrupted, "12"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			var deadlines []time.Time
			r := &incoming{from: tc.from, left: tc.left, idle: func(d time.Time) error {
				deadlines = append(deadlines, d)
				return nil
			}}
			got, err := io.ReadAll(r)
			if !errors.Is(err, tc.want) || string(got) != tc.got {
				t.Errorf("read %q, %v", got, err)
			}
			if len(deadlines) == 0 || !deadlines[len(deadlines)-1].IsZero() {
				t.Errorf("the deadline stays: %v", deadlines)
			}
			if _, again := r.Read(make([]byte, 1)); tc.want != nil && !errors.Is(again, tc.want) && !errors.Is(again, io.EOF) {
				t.Errorf("another read: %v", again)
			}
		})
	}
}
