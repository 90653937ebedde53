package page_test

import (
	"errors"
	"testing"
	"time"

	"github.com/google/uuid"
	"pgregory.net/rapid"

	"github.com/insulahq/insula/platform/page"
)

var codec = page.NewCodec([]byte("0123456789abcdef0123456789abcdef"))

func TestCursorRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := page.Position{
			At: time.UnixMicro(rapid.Int64Range(-1e15, 1e16).Draw(t, "at")).UTC(),
			ID: uuid.UUID(rapid.SliceOfN(rapid.Byte(), 16, 16).Draw(t, "id")),
		}
		binding := rapid.String().Draw(t, "binding")
		got, err := codec.Decode(codec.Encode(p, binding), binding)
		if err != nil || got != p {
			t.Fatalf("got %v, %v; want %v", got, err, p)
		}
	})
}

func TestForeignCursorsAreRefused(t *testing.T) {
	p := page.Position{At: time.Unix(1, 0).UTC(), ID: uuid.Max}
	good := codec.Encode(p, "acme|status=active")
	flipped := []byte(good)
	flipped[3] ^= 1
	for name, c := range map[string]struct{ cursor, binding string }{
		"another tenant":  {good, "globex|status=active"},
		"another filter":  {good, "acme|status=suspended"},
		"another key":     {page.NewCodec(make([]byte, 32)).Encode(p, "acme|status=active"), "acme|status=active"},
		"flipped bit":     {string(flipped), "acme|status=active"},
		"cut short":       {good[:len(good)-2], "acme|status=active"},
		"not base64":      {"***", "acme|status=active"},
		"padded":          {good + "=", "acme|status=active"},
		"empty":           {"", "acme|status=active"},
		"trailing spaces": {good + " ", "acme|status=active"},
	} {
		t.Run(name, func(t *testing.T) {
			if _, err := codec.Decode(c.cursor, c.binding); !errors.Is(err, page.ErrCursor) {
				t.Fatalf("got %v, want ErrCursor", err)
			}
		})
	}
}

func FuzzDecode(f *testing.F) {
	f.Add(codec.Encode(page.Start, "x"), "x")
	f.Add("AAAA", "x")
	f.Fuzz(func(t *testing.T, cursor, binding string) {
		p, err := codec.Decode(cursor, binding)
		if err == nil && codec.Encode(p, binding) != cursor {
			t.Fatalf("two cursors for one position: %q", cursor)
		}
	})
}

func TestCut(t *testing.T) {
	at := func(n int) page.Position { return page.Position{At: time.Unix(int64(n), 0)} }
	for _, tc := range []struct {
		items       []int
		limit, want int
		more        bool
	}{
		{nil, 2, 0, false}, {[]int{3}, 2, 1, false}, {[]int{3, 2}, 2, 2, false}, {[]int{3, 2, 1}, 2, 2, true},
	} {
		got := page.Cut(tc.items, tc.limit, at)
		if len(got.Items) != tc.want || (got.Next != nil) != tc.more {
			t.Errorf("%v by %d: %d items, next %v", tc.items, tc.limit, len(got.Items), got.Next)
		}
		if tc.more && !got.Next.At.Equal(time.Unix(2, 0)) {
			t.Errorf("next starts behind %v, want the last item shown", got.Next)
		}
	}
}
