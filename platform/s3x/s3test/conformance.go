package s3test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"math/rand/v2"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/insulahq/insula/platform/id"
	"github.com/insulahq/insula/platform/s3x"
)

// Conformance checks that an empty store keeps what s3x.Blobs promises.
func Conformance(t *testing.T, store s3x.Blobs) {
	s := &suite{store: store, ids: id.System{}}
	for name, test := range map[string]func(*testing.T){
		"put and get": s.putAndGet, "ranges": s.ranges, "missing": s.missing, "sizes": s.sizes, "broken reader": s.brokenReader,
		"replace and delete": s.replaceAndDelete, "list": s.list, "evidence": s.evidence, "put by link": s.putByLink, "get by link": s.getByLink,
		"impossible links": s.impossibleLinks, "ended context": s.endedContext,
		"put once by link": s.putOnce, "parts": s.parts, "parts that do not fit": s.wrongParts, "abort": s.abort, "unfinished": s.unfinished,
		"impossible parts": s.impossibleParts, "stream": s.stream, "broken stream": s.brokenStream, "discard": s.discard,
		"everything of a tenant": s.everything,
	} {
		t.Run(name, test)
	}
}

type suite struct {
	store s3x.Blobs
	ids   id.Source
}

// newKey names an object of a new tenant.
func (s *suite) newKey() s3x.Key { return s3x.TenantKey(s.ids.New(), s.ids.New()) }

// noise is content that does not compress and differs everywhere.
func noise(size int) []byte {
	b := make([]byte, size)
	_, _ = rand.NewChaCha8([32]byte{}).Read(b) // never fails
	return b
}

func hexSum(content []byte) string {
	sum := sha256.Sum256(content)
	return hex.EncodeToString(sum[:])
}

// unseekable hides that a reader could be rewound, as a request body cannot.
type unseekable struct{ io.Reader }

func (s *suite) put(t *testing.T, key s3x.Key, content []byte) s3x.Object {
	t.Helper()
	object, err := s.store.Put(t.Context(), key, unseekable{bytes.NewReader(content)}, int64(len(content)), "text/plain")
	if err != nil {
		t.Fatal(err)
	}
	return object
}

func (s *suite) get(t *testing.T, key s3x.Key, part s3x.Range) (s3x.Content, []byte) {
	t.Helper()
	content, err := s.store.Get(t.Context(), key, part)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = content.Close() }() // all was read
	read, err := io.ReadAll(content)
	if err != nil {
		t.Fatal(err)
	}
	return content, read
}

func (s *suite) mustBeMissing(t *testing.T, key s3x.Key) {
	t.Helper()
	if _, err := s.store.Head(t.Context(), key); !errors.Is(err, s3x.ErrNotFound) || errors.Is(err, s3x.ErrUnavailable) {
		t.Errorf("head of %s: %v", key, err)
	}
}

func (s *suite) putAndGet(t *testing.T) {
	if err := s.store.Ready(t.Context()); err != nil {
		t.Fatal(err)
	}
	for _, size := range []int{0, 1, 70_000} {
		key, content := s.newKey(), noise(size)
		object := s.put(t, key, content)
		if object.Key != key || object.Size != int64(size) || object.SHA256 != hexSum(content) || object.ETag == "" || object.ContentType != "text/plain" {
			t.Errorf("put gives %+v", object)
		}
		got, read := s.get(t, key, s3x.Range{})
		if !bytes.Equal(read, content) || got.Length != int64(size) || got.Object.Size != int64(size) || got.Object.ETag != object.ETag {
			t.Errorf("%d bytes come back as %d: %+v", size, len(read), got.Object)
		}
		head, err := s.store.Head(t.Context(), key)
		if err != nil || head.SHA256 != object.SHA256 || head.Size != int64(size) || head.ETag != object.ETag ||
			head.ContentType != "text/plain" || head.Modified.IsZero() || head.Key != key {
			t.Errorf("head gives %+v, %v", head, err)
		}
	}
}

func (s *suite) ranges(t *testing.T) {
	key := s.newKey()
	s.put(t, key, []byte("0123456789"))
	for _, tt := range []struct {
		part s3x.Range
		want string
	}{
		{s3x.Range{Length: 1}, "0"},
		{s3x.Range{Offset: 2, Length: 3}, "234"},
		{s3x.Range{Offset: 7}, "789"},
		{s3x.Range{Offset: 9, Length: 1}, "9"},
		{s3x.Range{Offset: 8, Length: 100}, "89"},
	} {
		got, read := s.get(t, key, tt.part)
		if string(read) != tt.want || got.Length != int64(len(tt.want)) || got.Object.Size != 10 {
			t.Errorf("%+v gives %q of %d bytes, announced as %d", tt.part, read, got.Object.Size, got.Length)
		}
	}
	for _, part := range []s3x.Range{{Offset: 10}, {Offset: 11, Length: 1}, {Offset: -1}, {Length: -1}} {
		if _, err := s.store.Get(t.Context(), key, part); !errors.Is(err, s3x.ErrRange) {
			t.Errorf("%+v: error = %v", part, err)
		}
	}
}

func (s *suite) missing(t *testing.T) {
	s.mustBeMissing(t, s.newKey())
	if _, err := s.store.Get(t.Context(), s.newKey(), s3x.Range{}); !errors.Is(err, s3x.ErrNotFound) {
		t.Errorf("get: %v", err)
	}
	if err := s.store.Delete(t.Context(), s.newKey()); err != nil {
		t.Errorf("delete: %v", err)
	}
}

func (s *suite) sizes(t *testing.T) {
	for _, announced := range []int64{0, 9, 11, 1 << 30} {
		key := s.newKey()
		if _, err := s.store.Put(t.Context(), key, strings.NewReader("0123456789"), announced, "text/plain"); !errors.Is(err, s3x.ErrSize) {
			t.Errorf("10 bytes announced as %d: error = %v", announced, err)
		}
		s.mustBeMissing(t, key)
	}
}

func (s *suite) brokenReader(t *testing.T) {
	broken := errors.New("the client went away")
	key := s.newKey()
	r := io.MultiReader(strings.NewReader("half"), failing{broken})
	if _, err := s.store.Put(t.Context(), key, r, 8, "text/plain"); !errors.Is(err, broken) || errors.Is(err, s3x.ErrUnavailable) {
		t.Errorf("error = %v", err)
	}
	s.mustBeMissing(t, key)
}

type failing struct{ err error }

func (f failing) Read([]byte) (int, error) { return 0, f.err }

func (s *suite) replaceAndDelete(t *testing.T) {
	key := s.newKey()
	first := s.put(t, key, []byte("first"))
	second := s.put(t, key, []byte("second"))
	if _, read := s.get(t, key, s3x.Range{}); string(read) != "second" || first.ETag == second.ETag {
		t.Errorf("got %q with etags %s, %s", read, first.ETag, second.ETag)
	}
	if err := s.store.Delete(t.Context(), key); err != nil {
		t.Fatal(err)
	}
	s.mustBeMissing(t, key)
}

func (s *suite) list(t *testing.T) {
	tenant, other := s.ids.New(), s.ids.New()
	var want []s3x.Key
	for range 3 {
		key := s3x.TenantKey(tenant, s.ids.New())
		s.put(t, key, []byte("content"))
		want = append(want, key)
	}
	s.put(t, s3x.TenantKey(other, s.ids.New()), []byte("foreign"))

	var got []s3x.Key
	for object, err := range s.store.List(t.Context(), tenant) {
		if err != nil {
			t.Fatal(err)
		}
		if object.Size != 7 || object.ETag == "" || object.Modified.IsZero() {
			t.Errorf("listed %+v", object)
		}
		got = append(got, object.Key)
	}
	if len(got) != 3 || got[0] != want[0] || got[1] != want[1] || got[2] != want[2] {
		t.Errorf("listed %v, want %v", got, want)
	}
	count := 0
	for _, err := range s.store.List(t.Context(), tenant) {
		if err != nil {
			t.Fatal(err)
		}
		count++
		break
	}
	if count != 1 {
		t.Errorf("%d objects after a break", count)
	}
	for object, err := range s.store.List(t.Context(), uuid.New()) {
		t.Errorf("a tenant without files has %+v, %v", object, err)
	}
}

// follow acts on a link as a client would, with changes made by spoil.
func follow(t *testing.T, l s3x.Link, body string, spoil func(*http.Request)) (int, http.Header, string) {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), l.Method, l.URL, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	for name, values := range l.Header {
		if name != "Content-Length" { // net/http sends that of the body
			request.Header[name] = values
		}
	}
	if spoil != nil {
		spoil(request)
	}
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = answer.Body.Close() }() // all was read
	read, err := io.ReadAll(answer.Body)
	if err != nil {
		t.Fatal(err)
	}
	return answer.StatusCode, answer.Header, string(read)
}

func (s *suite) putByLink(t *testing.T) {
	upload := s3x.Upload{Size: 5, ContentType: "text/plain"}
	summed := upload
	summed.SHA256 = hexSum([]byte("hello"))
	for name, tt := range map[string]struct {
		upload s3x.Upload
		body   string
		spoil  func(*http.Request)
		ok     bool
	}{
		"as signed":              {upload, "hello", nil, true},
		"as signed, with sum":    {summed, "hello", nil, true},
		"longer":                 {upload, "hello!", nil, false},
		"shorter":                {upload, "hell", nil, false},
		"other content":          {summed, "jello", nil, false},
		"other type":             {upload, "hello", func(r *http.Request) { r.Header.Set("Content-Type", "text/html") }, false},
		"other method":           {upload, "", func(r *http.Request) { r.Method = http.MethodDelete }, false},
		"link changed":           {upload, "hello", func(r *http.Request) { r.URL.RawQuery += "&x=1" }, false},
		"link to another object": {upload, "hello", func(r *http.Request) { r.URL.Path = r.URL.Path[:len(r.URL.Path)-1] + "~" }, false},
	} {
		key := s.newKey()
		link, err := s.store.PresignPut(t.Context(), key, tt.upload, time.Minute)
		if err != nil {
			t.Fatal(err)
		}
		status, _, answer := follow(t, link, tt.body, tt.spoil)
		if (status == http.StatusOK) != tt.ok || !tt.ok && (status < 400 || status > 499) {
			t.Errorf("%s: %d %s", name, status, answer)
		}
		if !tt.ok {
			s.mustBeMissing(t, key)
			continue
		}
		if head, err := s.store.Head(t.Context(), key); err != nil || head.Size != 5 || head.ContentType != "text/plain" {
			t.Errorf("%s: stored %+v, %v", name, head, err)
		}
	}
}

func (s *suite) getByLink(t *testing.T) {
	key := s.newKey()
	s.put(t, key, []byte("hello"))
	link, err := s.store.PresignGet(t.Context(), key, s3x.Download{ContentType: "application/pdf", Disposition: `attachment; filename="a b.pdf"`}, time.Minute)
	if err != nil {
		t.Fatal(err)
	}
	status, header, body := follow(t, link, "", nil)
	if status != 200 || body != "hello" || header.Get("Content-Type") != "application/pdf" || header.Get("Content-Disposition") != `attachment; filename="a b.pdf"` {
		t.Errorf("%d %q %v", status, body, header)
	}
	if status, _, _ := follow(t, link, "", func(r *http.Request) { r.Method = http.MethodPut }); status < 400 {
		t.Errorf("a link to get stores: %d", status)
	}
	if until := time.Until(link.Expires); until <= 0 || until > time.Minute {
		t.Errorf("expires in %v", until)
	}
	plain, err := s.store.PresignGet(t.Context(), key, s3x.Download{}, time.Minute)
	if err != nil {
		t.Fatal(err)
	}
	if _, header, body := follow(t, plain, "", nil); body != "hello" || header.Get("Content-Type") != "text/plain" {
		t.Errorf("%q %v", body, header)
	}
	gone, err := s.store.PresignGet(t.Context(), s.newKey(), s3x.Download{}, time.Minute)
	if err != nil {
		t.Fatal(err)
	}
	if status, _, _ := follow(t, gone, "", nil); status != http.StatusNotFound {
		t.Errorf("an object that is not there: %d", status)
	}
}

func (s *suite) impossibleLinks(t *testing.T) {
	good := s3x.Upload{Size: 1, ContentType: "text/plain"}
	for name, tt := range map[string]struct {
		upload s3x.Upload
		life   time.Duration
	}{
		"negative size": {s3x.Upload{Size: -1, ContentType: "text/plain"}, time.Minute},
		"empty":         {s3x.Upload{ContentType: "text/plain"}, time.Minute},
		"no type":       {s3x.Upload{Size: 1}, time.Minute},
		"sum not hex":   {s3x.Upload{Size: 1, ContentType: "text/plain", SHA256: "zz"}, time.Minute},
		"sum too short": {s3x.Upload{Size: 1, ContentType: "text/plain", SHA256: "ab"}, time.Minute},
		"no life":       {good, 0},
		"too long":      {good, 8 * 24 * time.Hour},
	} {
		if l, err := s.store.PresignPut(t.Context(), s.newKey(), tt.upload, tt.life); !errors.Is(err, s3x.ErrLink) {
			t.Errorf("%s: %+v, %v", name, l, err)
		}
	}
	if l, err := s.store.PresignGet(t.Context(), s.newKey(), s3x.Download{}, 0); !errors.Is(err, s3x.ErrLink) {
		t.Errorf("get without life: %+v, %v", l, err)
	}
}

func (s *suite) endedContext(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	key := s.newKey()
	_, put := s.store.Put(ctx, key, strings.NewReader("x"), 1, "text/plain")
	_, get := s.store.Get(ctx, key, s3x.Range{})
	_, head := s.store.Head(ctx, key)
	calls := map[string]error{"put": put, "get": get, "head": head, "delete": s.store.Delete(ctx, key), "ready": s.store.Ready(ctx)}
	for _, err := range s.store.List(ctx, key.Tenant()) {
		calls["list"] = err
	}
	for name, err := range calls {
		if !errors.Is(err, context.Canceled) || errors.Is(err, s3x.ErrUnavailable) {
			t.Errorf("%s: error = %v", name, err)
		}
	}
	if len(calls) != 6 {
		t.Error("listing with an ended context is silent")
	}
}

// evidence is listed by its numbers, apart from files and from other sorts.
func (s *suite) evidence(t *testing.T) {
	tenant := s.ids.New()
	for _, number := range []int64{100, 9, 1_000_000, 20} {
		s.put(t, s3x.EvidenceKey(tenant, s3x.Heads, number), noise(10))
	}
	s.put(t, s3x.EvidenceKey(tenant, s3x.Records, 30), noise(10))
	file := s3x.TenantKey(tenant, s.ids.New())
	s.put(t, file, noise(10))
	for after, want := range map[int64][]int64{0: {9, 20, 100, 1_000_000}, 20: {100, 1_000_000}, 1_000_000: nil} {
		var got []int64
		for number, err := range s.store.ListEvidence(t.Context(), tenant, s3x.Heads, after) {
			if err != nil {
				t.Fatal(err)
			}
			got = append(got, number)
		}
		if !slices.Equal(got, want) {
			t.Errorf("after %d: %v, want %v", after, got, want)
		}
	}
	for object, err := range s.store.List(t.Context(), tenant) {
		if err != nil || object.Key != file {
			t.Errorf("evidence is listed among files: %v, %v", object.Key, err)
		}
	}
}
