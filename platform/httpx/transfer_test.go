package httpx_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/insulahq/insula/platform/clock"
	"github.com/insulahq/insula/platform/errs"
	"github.com/insulahq/insula/platform/httpx"
	"github.com/insulahq/insula/platform/op"
	"github.com/insulahq/insula/platform/optest"
	"github.com/insulahq/insula/platform/scope"
)

const contentPath = thingID + "/content"

var (
	fill = op.Write("things.fill", "Fill a thing.", op.About("thing"))
	pour = op.Read("things.pour", "Pour a thing out.", op.About("thing"))
)

type fillInput struct {
	ID uuid.UUID `path:"id" format:"uuid"`
	httpx.Upload
}

type pourInput struct {
	ID uuid.UUID `path:"id" format:"uuid"`
}

// vault is a house whose thing has content.
type vault struct {
	*house
	received func(ctx context.Context, in *fillInput) error // takes the body
	content  []byte
	opened   []string // "from+length" of each Open
	open     func(from, length int64) (io.ReadCloser, error)
	begin    func(context.Context) error
	whole    bool
	away     func(context.Context, string) (string, error)
}

const vaultLimit = 10_000

func newVault(t *testing.T, adjust ...func(*httpx.Options)) *vault {
	t.Helper()
	everybody := func(o *httpx.Options) {
		o.Runner = func(r scope.Request) *op.Runner {
			run, _ := optest.Runner(t, r, nowhere{}, clock.System{})
			return run
		}
	}
	v := &vault{house: newHouse(t, append([]func(*httpx.Options){everybody}, adjust...)...)}
	v.received = func(_ context.Context, in *fillInput) (err error) {
		v.content, err = io.ReadAll(in.Reader())
		return err
	}
	v.open = func(from, length int64) (io.ReadCloser, error) {
		return io.NopCloser(bytes.NewReader(v.content[from : from+length])), nil
	}
	httpx.PutContent(v.Router(), fill, "/v1/things/{id}/content", vaultLimit, func(ctx context.Context, in *fillInput) (*httpx.Answer[string], error) {
		if err := v.received(ctx, in); err != nil {
			return nil, fmt.Errorf("receive: %w", err)
		}
		return &httpx.Answer[string]{Body: fmt.Sprintf("%d %s", in.Length(), in.ContentType())}, nil
	})
	httpx.GetContent(v.Router(), pour, "/v1/things/{id}/content", func(context.Context, *pourInput) (*httpx.Download, error) {
		sum := sha256.Sum256(v.content)
		return &httpx.Download{
			Name: `räport "1".txt`, ContentType: "text/plain; charset=utf-8", Size: int64(len(v.content)), SHA256: sum[:],
			Open: func(_ context.Context, from, length int64) (io.ReadCloser, error) {
				v.opened = append(v.opened, fmt.Sprintf("%d+%d", from, length))
				return v.open(from, length)
			},
			Begin: v.begin, Whole: v.whole, Elsewhere: v.away,
		}, nil
	})
	return v
}

func codeOf(t *testing.T, body io.Reader) string {
	t.Helper()
	var p httpx.Problem
	if err := json.NewDecoder(body).Decode(&p); err != nil {
		t.Fatal(err)
	}
	return p.Code
}

func TestUploadTakesAnyBodyWithinTheLimit(t *testing.T) {
	v := newVault(t)
	for _, size := range []int{0, 1, vaultLimit} {
		for _, contentType := range []string{"", "image/png", "application/json", "multipart/form-data; boundary=x", "nonsense"} {
			body := strings.Repeat("x", size)
			w := v.call("PUT", contentPath, body, "Content-Type", contentType)
			if want := fmt.Sprintf("%q\n", fmt.Sprintf("%d %s", size, contentType)); w.Code != 200 || w.Body.String() != want {
				t.Errorf("%d bytes of %q: %d %s", size, contentType, w.Code, w.Body)
			}
			if string(v.content) != body {
				t.Errorf("%d bytes of %q arrived changed", size, contentType)
			}
		}
	}
}

func TestUploadBeyondTheLimit(t *testing.T) {
	v := newVault(t)
	v.received = func(context.Context, *fillInput) error { t.Error("the handler ran"); return nil }
	w := v.call("PUT", contentPath, strings.Repeat("x", vaultLimit+1))
	if code := codeOf(t, w.Body); w.Code != 413 || code != "too_large" {
		t.Errorf("announced: %d %s", w.Code, code)
	}
	var got error
	v.received = func(_ context.Context, in *fillInput) error {
		if in.Length() != -1 {
			t.Errorf("length %d of a body that announces none", in.Length())
		}
		_, got = io.ReadAll(in.Reader())
		return got
	}
	req := httptest.NewRequest("PUT", contentPath, io.MultiReader(strings.NewReader(strings.Repeat("x", vaultLimit+1))))
	req.Header.Set("Authorization", "Bearer good")
	w = httptest.NewRecorder()
	v.ServeHTTP(w, req)
	if code := codeOf(t, w.Body); w.Code != 413 || code != "too_large" || !errors.Is(got, errs.ErrTooLarge) {
		t.Errorf("not announced: %d %s, the handler saw %v", w.Code, code, got)
	}
}

type unreadable struct{ t *testing.T }

func (u unreadable) Read([]byte) (int, error) {
	u.t.Error("the body was read")
	return 0, io.EOF
}

func TestUploadIsNotReadBeforeTheCallerIsLetIn(t *testing.T) {
	v := newVault(t)
	req := httptest.NewRequest("PUT", contentPath, unreadable{t})
	w := httptest.NewRecorder()
	v.ServeHTTP(w, req)
	if w.Code != 401 {
		t.Errorf("got %d", w.Code)
	}
}

func TestUploadStreams(t *testing.T) {
	v := newVault(t)
	first := make(chan struct{})
	v.received = func(_ context.Context, in *fillInput) error {
		var got bytes.Buffer
		if _, err := io.CopyN(&got, in.Reader(), 5); err != nil {
			return err
		}
		close(first) // the rest is sent only now
		_, err := io.Copy(&got, in.Reader())
		v.content = got.Bytes()
		return err
	}
	srv := httptest.NewServer(v)
	defer srv.Close()
	body, feed := io.Pipe()
	go func() {
		_, _ = io.WriteString(feed, "first") // the request below reports what fails
		<-first
		_, _ = io.WriteString(feed, " second")
		feed.Close()
	}()
	req, err := http.NewRequestWithContext(t.Context(), "PUT", srv.URL+contentPath, body)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer good")
	res, err := srv.Client().Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	if res.StatusCode != 200 || string(v.content) != "first second" {
		t.Errorf("%d, received %q", res.StatusCode, v.content)
	}
}

func TestUploadThatBreaksOff(t *testing.T) {
	v := newVault(t)
	failed := make(chan error, 1)
	v.received = func(_ context.Context, in *fillInput) error {
		_, err := io.ReadAll(in.Reader())
		failed <- err
		return err
	}
	srv := httptest.NewServer(v)
	defer srv.Close()
	conn, err := net.Dial("tcp", srv.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	fmt.Fprintf(conn, "PUT %s HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer good\r\nContent-Length: 100\r\n\r\nonly this", contentPath)
	if err := conn.Close(); err != nil {
		t.Fatal(err)
	}
	if err := <-failed; !errors.Is(err, httpx.ErrInterrupted) {
		t.Errorf("the handler saw %v", err)
	}
}

func TestDownload(t *testing.T) {
	v := newVault(t)
	v.content = []byte("0123456789")
	sum := sha256.Sum256(v.content)
	etag := `"` + hex.EncodeToString(sum[:]) + `"`
	for _, tc := range []struct {
		name     string
		headers  []string
		status   int
		body     string
		extent   string // Content-Range
		openings string
	}{
		{"all", nil, 200, "0123456789", "", "0+10"},
		{"range", []string{"Range", "bytes=2-4"}, 206, "234", "bytes 2-4/10", "2+3"},
		{"open range", []string{"Range", "bytes=7-"}, 206, "789", "bytes 7-9/10", "7+3"},
		{"suffix", []string{"Range", "bytes=-3"}, 206, "789", "bytes 7-9/10", "7+3"},
		{"long suffix", []string{"Range", "bytes=-300"}, 206, "0123456789", "bytes 0-9/10", "0+10"},
		{"range past the end", []string{"Range", "bytes=8-99"}, 206, "89", "bytes 8-9/10", "8+2"},
		{"range behind the end", []string{"Range", "bytes=10-"}, 416, "", "bytes */10", ""},
		{"empty suffix", []string{"Range", "bytes=-0"}, 416, "", "bytes */10", ""},
		{"several ranges", []string{"Range", "bytes=0-1,4-5"}, 200, "0123456789", "", "0+10"},
		{"another unit", []string{"Range", "lines=0-1"}, 200, "0123456789", "", "0+10"},
		{"backwards", []string{"Range", "bytes=4-2"}, 200, "0123456789", "", "0+10"},
		{"signed", []string{"Range", "bytes=+1-2"}, 200, "0123456789", "", "0+10"},
		{"too large a number", []string{"Range", "bytes=99999999999999999999-"}, 200, "0123456789", "", "0+10"},
		{"If-Range holds", []string{"Range", "bytes=0-0", "If-Range", etag}, 206, "0", "bytes 0-0/10", "0+1"},
		{"If-Range is weak", []string{"Range", "bytes=0-0", "If-Range", "W/" + etag}, 200, "0123456789", "", "0+10"},
		{"If-Range of another", []string{"Range", "bytes=0-0", "If-Range", `"other"`}, 200, "0123456789", "", "0+10"},
		{"If-Range by date", []string{"Range", "bytes=0-0", "If-Range", "Wed, 21 Oct 2015 07:28:00 GMT"}, 200, "0123456789", "", "0+10"},
		{"If-None-Match holds", []string{"If-None-Match", `"a", W/` + etag}, 304, "", "", ""},
		{"If-None-Match goes before Range", []string{"If-None-Match", etag, "Range", "bytes=10-"}, 304, "", "", ""},
		{"If-None-Match of another", []string{"If-None-Match", `"other"`}, 200, "0123456789", "", "0+10"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			v.opened = nil
			w := v.call("GET", contentPath, "", tc.headers...)
			if w.Code != tc.status || w.Header().Get("Content-Range") != tc.extent || strings.Join(v.opened, " ") != tc.openings {
				t.Errorf("%d, Content-Range %q, opened %v", w.Code, w.Header().Get("Content-Range"), v.opened)
			}
			if tc.status == 416 {
				if code := codeOf(t, w.Body); code != "range_not_satisfiable" {
					t.Errorf("code %s", code)
				}
				return
			}
			if w.Body.String() != tc.body {
				t.Errorf("body %q", w.Body)
			}
			if w.Header().Get("ETag") != etag {
				t.Errorf("ETag %s", w.Header().Get("ETag"))
			}
			if tc.status != 304 && w.Header().Get("Content-Length") != fmt.Sprint(len(tc.body)) {
				t.Errorf("Content-Length %s", w.Header().Get("Content-Length"))
			}
		})
	}
}

func TestDownloadIsKeptByNobodyAndShownByNobody(t *testing.T) {
	v := newVault(t)
	v.content = []byte("<script>alert(1)</script>")
	sum := sha256.Sum256(v.content)
	w := v.call("GET", contentPath, "")
	for name, want := range map[string]string{
		"Content-Type":            "text/plain; charset=utf-8",
		"Content-Disposition":     `attachment; filename="r_port _1_.txt"; filename*=UTF-8''r%C3%A4port%20%221%22.txt`,
		"X-Content-Type-Options":  "nosniff",
		"Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'; sandbox",
		"Cache-Control":           "private, no-store",
		"Accept-Ranges":           "bytes",
		"Repr-Digest":             "sha-256=:" + base64.StdEncoding.EncodeToString(sum[:]) + ":",
	} {
		if got := w.Header().Values(name); len(got) != 1 || got[0] != want {
			t.Errorf("%s: %q", name, got)
		}
	}
}

func TestDownloadOfNothing(t *testing.T) {
	v := newVault(t)
	for _, header := range []string{"", "bytes=0-", "bytes=-5"} {
		w := v.call("GET", contentPath, "", "Range", header)
		if w.Code != 200 || w.Body.Len() != 0 || w.Header().Get("Content-Length") != "0" || len(v.opened) != 0 {
			t.Errorf("Range %q: %d %q, opened %v", header, w.Code, w.Body, v.opened)
		}
	}
}

func TestDownloadThatCannotBegin(t *testing.T) {
	v := newVault(t)
	v.content = []byte("0123456789")
	v.open = func(int64, int64) (io.ReadCloser, error) { return nil, errs.ErrUnavailable }
	w := v.call("GET", contentPath, "", "Range", "bytes=0-1")
	if code := codeOf(t, w.Body); w.Code != 503 || code != "unavailable" {
		t.Errorf("%d %s", w.Code, code)
	}
	for _, name := range []string{"Content-Disposition", "Content-Range", "ETag", "Accept-Ranges"} {
		if got := w.Header().Get(name); got != "" {
			t.Errorf("the problem carries %s %q", name, got)
		}
	}
}

// TestDownloadBeginsWhenThereIsContentToSend: only then, once, and what Begin
// refuses is not sent.
func TestDownloadBeginsWhenThereIsContentToSend(t *testing.T) {
	v := newVault(t)
	content := []byte("0123456789")
	sum := sha256.Sum256(content)
	etag := `"` + hex.EncodeToString(sum[:]) + `"`
	open, elsewhere := v.open, func(context.Context, string) (string, error) { return "https://store.example/x", nil }
	gone := errs.New(errs.NotFound, "things.gone", "It is gone.")
	for _, tc := range []struct {
		name    string
		method  string
		header  []string
		adjust  func()
		status  int
		begun   int
		refuses error
	}{
		{"all", "GET", nil, nil, 200, 1, nil},
		{"range", "GET", []string{"Range", "bytes=2-4"}, nil, 206, 1, nil},
		{"a range of the whole", "GET", []string{"Range", "bytes=2-4"}, func() { v.whole = true }, 200, 1, nil},
		{"a range behind the end of the whole", "GET", []string{"Range", "bytes=99-"}, func() { v.whole = true }, 200, 1, nil},
		{"nothing", "GET", nil, func() { v.content = nil }, 200, 1, nil},
		{"elsewhere", "GET", nil, func() { v.away = elsewhere }, 302, 1, nil},
		{"HEAD", "HEAD", nil, nil, 200, 0, nil},
		{"what the client has", "GET", []string{"If-None-Match", etag}, nil, 304, 0, nil},
		{"behind the end", "GET", []string{"Range", "bytes=99-"}, nil, 416, 0, nil},
		{"the store is away", "GET", nil, func() { v.open = func(int64, int64) (io.ReadCloser, error) { return nil, errs.ErrUnavailable } }, 503, 0, nil},
		{"no link", "GET", nil, func() {
			v.away = func(context.Context, string) (string, error) { return "", errs.ErrUnavailable }
		}, 503, 0, nil},
		{"refused", "GET", nil, nil, 404, 1, gone},
		{"refused elsewhere", "GET", nil, func() { v.away = elsewhere }, 404, 1, gone},
	} {
		t.Run(tc.name, func(t *testing.T) {
			v.content, v.open, v.away, v.whole = content, open, nil, false
			if tc.adjust != nil {
				tc.adjust()
			}
			begun := 0
			v.begin = func(context.Context) error {
				begun++
				return tc.refuses
			}
			w := v.call(tc.method, contentPath, "", tc.header...)
			if w.Code != tc.status || begun != tc.begun {
				t.Errorf("%d, begun %d times: %s", w.Code, begun, w.Body)
			}
			if tc.refuses != nil && (codeOf(t, w.Body) != "things.gone" || w.Header().Get("ETag") != "" || w.Header().Get("Location") != "") {
				t.Errorf("a refusal that tells of the content: %v", w.Header())
			}
			if v.whole && (w.Body.String() != "0123456789" || w.Header().Get("Accept-Ranges") != "none") {
				t.Errorf("not whole: %q %v", w.Body, w.Header())
			}
		})
	}
}

func TestDownloadCutShortIsNoWholeAnswer(t *testing.T) {
	v := newVault(t)
	v.content = bytes.Repeat([]byte("x"), vaultLimit)
	v.open = func(int64, int64) (io.ReadCloser, error) { return io.NopCloser(strings.NewReader("some")), nil }
	srv := httptest.NewServer(v)
	defer srv.Close()
	req, err := http.NewRequestWithContext(t.Context(), "GET", srv.URL+contentPath, nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer good")
	res, err := srv.Client().Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	if got, err := io.ReadAll(res.Body); !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("the client took %q for whole (%v)", got, err)
	}
	srv.Close() // waits for the handler, and so for its log
	if !strings.Contains(v.log.String(), "download cut short") {
		t.Errorf("not logged: %s", v.log)
	}
}

func TestTransfersAreNeitherCompressedNorTimed(t *testing.T) {
	v := newVault(t, func(o *httpx.Options) { o.RequestTimeout = time.Nanosecond })
	v.received = func(ctx context.Context, in *fillInput) (err error) {
		if _, timed := ctx.Deadline(); timed {
			t.Error("an upload has a time limit")
		}
		v.content, err = io.ReadAll(in.Reader())
		return err
	}
	if w := v.call("PUT", contentPath, strings.Repeat("x", 5000)); w.Code != 200 {
		t.Fatalf("upload: %d %s", w.Code, w.Body)
	}
	w := v.call("GET", contentPath, "", "Accept-Encoding", "gzip")
	if w.Code != 200 || w.Header().Get("Content-Encoding") != "" || w.Body.Len() != 5000 {
		t.Errorf("download: %d, %d bytes %s", w.Code, w.Body.Len(), w.Header().Get("Content-Encoding"))
	}
}

// timed is a connection that keeps the deadlines it was given.
type timed struct {
	*httptest.ResponseRecorder
	reads, writes []time.Time
}

func (c *timed) SetReadDeadline(t time.Time) error  { c.reads = append(c.reads, t); return nil }
func (c *timed) SetWriteDeadline(t time.Time) error { c.writes = append(c.writes, t); return nil }

func TestTransfersMoveTheDeadlinesAndTakeThemAway(t *testing.T) {
	v := newVault(t)
	send := func(method string, body io.Reader) *timed {
		c := &timed{ResponseRecorder: httptest.NewRecorder()}
		req := httptest.NewRequest(method, contentPath, body)
		req.Header.Set("Authorization", "Bearer good")
		v.ServeHTTP(c, req)
		if c.Code != 200 {
			t.Fatalf("%s: %d %s", method, c.Code, c.Body)
		}
		return c
	}
	movedThenCleared := func(what string, all []time.Time) {
		t.Helper()
		cleared := slices.IndexFunc(all, time.Time.IsZero)
		if cleared < 1 {
			t.Fatalf("%s: %v", what, all)
		}
		for i, d := range all {
			if d.IsZero() != (i >= cleared) || !d.IsZero() && time.Until(d) <= 0 {
				t.Errorf("%s: %v", what, all)
			}
		}
	}
	movedThenCleared("upload", send("PUT", strings.NewReader("some content")).reads)
	movedThenCleared("download", send("GET", nil).writes)
}

func TestTransfersInTheDocument(t *testing.T) {
	v := newVault(t)
	if err := v.Seal(append(declared, fill, pour)); err != nil {
		t.Error(err)
	}
	var doc struct {
		Paths map[string]map[string]struct {
			RequestBody struct {
				Content map[string]any `json:"content"`
			} `json:"requestBody"`
			Parameters []struct{ Name, In string }
			Responses  map[string]struct {
				Content map[string]any `json:"content"`
			} `json:"responses"`
		}
	}
	if err := json.Unmarshal(v.call("GET", "/openapi.json", "").Body.Bytes(), &doc); err != nil {
		t.Fatal(err)
	}
	put, get := doc.Paths["/v1/things/{id}/content"]["put"], doc.Paths["/v1/things/{id}/content"]["get"]
	if _, ok := put.RequestBody.Content["application/octet-stream"]; !ok {
		t.Errorf("upload: %+v", put.RequestBody)
	}
	for _, status := range []string{"412", "428"} {
		if _, ok := put.Responses[status]; ok {
			t.Errorf("upload documents %s", status)
		}
	}
	for _, status := range []string{"200", "206"} {
		if _, ok := get.Responses[status].Content["application/octet-stream"]; !ok {
			t.Errorf("download, %s: %+v", status, get.Responses[status])
		}
	}
	for _, status := range []string{"304", "404", "416"} {
		if _, ok := get.Responses[status]; !ok {
			t.Errorf("download documents no %s", status)
		}
	}
	if len(get.Parameters) != 4 { // id, If-None-Match, Range, If-Range
		t.Errorf("download: %+v", get.Parameters)
	}
}

func TestPutContentWantsAnUpload(t *testing.T) {
	defer func() {
		if recover() == nil {
			t.Error("an input without Upload was registered")
		}
	}()
	httpx.PutContent(newHouse(t).Router(), fill, "/v1/things/{id}/content", 1,
		func(context.Context, *pourInput) (*httpx.Nothing, error) { return nil, nil })
}
