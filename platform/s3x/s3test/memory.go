package s3test

import (
	"bytes"
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"io"
	"iter"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/insulahq/insula/platform/clock"
	"github.com/insulahq/insula/platform/id"
	"github.com/insulahq/insula/platform/s3x"
)

// Memory is a store in memory whose links work on a server of its own. Safe for concurrent use.
type Memory struct {
	clock  clock.Clock
	server *httptest.Server

	mu      sync.Mutex
	objects map[s3x.Key]stored
	links   map[string]link
	open    map[string]*unfinished
	fail    error
	spare   int // calls that still succeed before fail holds
}

type stored struct {
	object  s3x.Object
	content []byte
}

// link is what a URL of ours stands for.
type link struct {
	s3x.Link
	key      s3x.Key
	upload   s3x.Upload
	download s3x.Download
	part     *partLink // nil unless the link is to a part
}

var _ s3x.Blobs = (*Memory)(nil)

// NewMemory returns an empty store that ends with the test.
func NewMemory(t testing.TB, c clock.Clock) *Memory {
	t.Helper()
	m := &Memory{clock: c, objects: map[s3x.Key]stored{}, links: map[string]link{}, open: map[string]*unfinished{}}
	m.server = httptest.NewServer(http.HandlerFunc(m.follow))
	t.Cleanup(m.server.Close)
	return m
}

// FailWith makes every following call return err, until it is nil again.
func (m *Memory) FailWith(err error) { m.FailAfter(0, err) }

// FailAfter lets some more calls succeed, and makes every following one return err, until it is nil again.
func (m *Memory) FailAfter(calls int, err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.fail, m.spare = err, calls
}

// enter begins a call: it takes the lock unless the call must fail.
func (m *Memory) enter(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	m.mu.Lock()
	if m.fail != nil && m.spare <= 0 {
		defer m.mu.Unlock()
		return m.fail
	}
	m.spare--
	return nil
}

// Ready implements s3x.Blobs.
func (m *Memory) Ready(ctx context.Context) error {
	if err := m.enter(ctx); err != nil {
		return err
	}
	defer m.mu.Unlock()
	return nil
}

// Put implements s3x.Blobs.
func (m *Memory) Put(ctx context.Context, key s3x.Key, r io.Reader, size int64, contentType string) (s3x.Object, error) {
	content, err := io.ReadAll(s3x.NewSizedReader(r, size))
	if err != nil {
		return s3x.Object{}, err
	}
	if err := m.enter(ctx); err != nil {
		return s3x.Object{}, err
	}
	defer m.mu.Unlock()
	object := m.store(key, content, contentType)
	object.Modified = time.Time{}
	return object, nil
}

// Stream implements s3x.Blobs.
func (m *Memory) Stream(ctx context.Context, key s3x.Key, r io.Reader, _ int64, contentType string) (s3x.Object, error) {
	content, err := io.ReadAll(r)
	if err != nil {
		return s3x.Object{}, err
	}
	return m.Put(ctx, key, bytes.NewReader(content), int64(len(content)), contentType)
}

// Discard implements s3x.Blobs.
func (m *Memory) Discard(ctx context.Context, key s3x.Key) error {
	if err := m.enter(ctx); err != nil {
		return err
	}
	defer m.mu.Unlock()
	delete(m.objects, key)
	maps.DeleteFunc(m.open, func(_ string, u *unfinished) bool { return u.Key == key })
	return nil
}

func (m *Memory) store(key s3x.Key, content []byte, contentType string) s3x.Object {
	sum := sha256.Sum256(content)
	text := hex.EncodeToString(sum[:])
	object := s3x.Object{
		Key: key, Size: int64(len(content)), ETag: text[:32], SHA256: text, ContentType: contentType, Modified: m.clock.Now(),
	}
	m.objects[key] = stored{object, content}
	return object
}

// Get implements s3x.Blobs.
func (m *Memory) Get(ctx context.Context, key s3x.Key, part s3x.Range) (s3x.Content, error) {
	if err := m.enter(ctx); err != nil {
		return s3x.Content{}, err
	}
	defer m.mu.Unlock()
	found, ok := m.objects[key]
	if !ok {
		return s3x.Content{}, s3x.ErrNotFound
	}
	content, size := found.content, int64(len(found.content))
	if part != (s3x.Range{}) {
		if part.Offset < 0 || part.Length < 0 || part.Offset >= size {
			return s3x.Content{}, s3x.ErrRange
		}
		end := size
		if part.Length > 0 {
			end = min(size, part.Offset+part.Length)
		}
		content = content[part.Offset:end]
	}
	object := found.object
	object.SHA256 = "" // as from S3
	return s3x.Content{ReadCloser: io.NopCloser(bytes.NewReader(content)), Object: object, Length: int64(len(content))}, nil
}

// Head implements s3x.Blobs.
func (m *Memory) Head(ctx context.Context, key s3x.Key) (s3x.Object, error) {
	if err := m.enter(ctx); err != nil {
		return s3x.Object{}, err
	}
	defer m.mu.Unlock()
	found, ok := m.objects[key]
	if !ok {
		return s3x.Object{}, s3x.ErrNotFound
	}
	return found.object, nil
}

// Delete implements s3x.Blobs.
func (m *Memory) Delete(ctx context.Context, key s3x.Key) error {
	if err := m.enter(ctx); err != nil {
		return err
	}
	defer m.mu.Unlock()
	delete(m.objects, key)
	return nil
}

// List implements s3x.Blobs.
func (m *Memory) List(ctx context.Context, tenantID uuid.UUID) iter.Seq2[s3x.Object, error] {
	return func(yield func(s3x.Object, error) bool) {
		if err := m.enter(ctx); err != nil {
			yield(s3x.Object{}, err)
			return
		}
		all := slices.SortedFunc(maps.Keys(m.objects), func(a, b s3x.Key) int { return cmp.Compare(a.String(), b.String()) })
		var listed []s3x.Object
		for _, key := range all {
			if _, _, evidence := key.Evidence(); key.Tenant() == tenantID && !evidence {
				object := m.objects[key].object
				object.ContentType, object.SHA256 = "", "" // as from S3
				listed = append(listed, object)
			}
		}
		m.mu.Unlock() // the body of the loop may call us
		for _, object := range listed {
			if !yield(object, nil) {
				return
			}
		}
	}
}

// ListEvidence implements s3x.Blobs.
func (m *Memory) ListEvidence(ctx context.Context, tenantID uuid.UUID, e s3x.Evidence, after int64) iter.Seq2[int64, error] {
	return func(yield func(int64, error) bool) {
		if err := m.enter(ctx); err != nil {
			yield(0, err)
			return
		}
		var numbers []int64
		for key := range m.objects {
			if sort, number, ok := key.Evidence(); ok && key.Tenant() == tenantID && sort == e && number > after {
				numbers = append(numbers, number)
			}
		}
		m.mu.Unlock() // the body of the loop may call us
		slices.Sort(numbers)
		for _, number := range numbers {
			if !yield(number, nil) {
				return
			}
		}
	}
}

// PresignPut implements s3x.Blobs.
func (m *Memory) PresignPut(ctx context.Context, key s3x.Key, u s3x.Upload, life time.Duration) (s3x.Link, error) {
	if err := s3x.CheckUpload(u, life); err != nil {
		return s3x.Link{}, err
	}
	header := http.Header{"Content-Type": {u.ContentType}, "Content-Length": {fmt.Sprint(u.Size)}}
	if u.Once {
		header.Set("If-None-Match", "*")
	}
	return m.sign(ctx, link{Link: s3x.Link{Method: http.MethodPut, Header: header}, key: key, upload: u}, life)
}

// PresignGet implements s3x.Blobs.
func (m *Memory) PresignGet(ctx context.Context, key s3x.Key, d s3x.Download, life time.Duration) (s3x.Link, error) {
	return m.sign(ctx, link{Link: s3x.Link{Method: http.MethodGet, Header: http.Header{}}, key: key, download: d}, life)
}

func (m *Memory) sign(ctx context.Context, l link, life time.Duration) (s3x.Link, error) {
	if err := s3x.CheckUpload(s3x.Upload{Size: 1, ContentType: "any"}, life); err != nil {
		return s3x.Link{}, err
	}
	if err := m.enter(ctx); err != nil {
		return s3x.Link{}, err
	}
	defer m.mu.Unlock()
	path := "/" + id.System{}.New().String()
	l.URL, l.Expires = m.server.URL+path, m.clock.Now().Add(life)
	m.links[path] = l
	return l.Link, nil
}

// follow serves links.
func (m *Memory) follow(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	l, ok := m.links[r.URL.RequestURI()]
	if !ok || r.Method != l.Method || !m.clock.Now().Before(l.Expires) {
		http.Error(w, "no such link", http.StatusForbidden)
		return
	}
	switch {
	case l.part != nil:
		m.followPart(w, l, body)
		return
	case r.Method == http.MethodPut:
		m.followPut(w, r, l, body)
		return
	}
	found, ok := m.objects[l.key]
	if !ok {
		http.Error(w, "no such object", http.StatusNotFound)
		return
	}
	w.Header().Set("Content-Type", cmp.Or(l.download.ContentType, found.object.ContentType))
	if l.download.Disposition != "" {
		w.Header().Set("Content-Disposition", l.download.Disposition)
	}
	http.ServeContent(w, r, "", found.object.Modified, bytes.NewReader(found.content))
}

func (m *Memory) followPut(w http.ResponseWriter, r *http.Request, l link, body []byte) {
	if int64(len(body)) != l.upload.Size || r.Header.Get("Content-Type") != l.upload.ContentType {
		http.Error(w, "not what was signed", http.StatusForbidden)
		return
	}
	if l.upload.Once {
		if _, there := m.objects[l.key]; there || r.Header.Get("If-None-Match") != "*" {
			http.Error(w, "there is an object already", http.StatusPreconditionFailed)
			return
		}
	}
	sum := sha256.Sum256(body)
	if l.upload.SHA256 != "" && hex.EncodeToString(sum[:]) != l.upload.SHA256 {
		http.Error(w, "checksum "+base64.StdEncoding.EncodeToString(sum[:]), http.StatusBadRequest)
		return
	}
	m.store(l.key, body, l.upload.ContentType)
}
