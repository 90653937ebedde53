package s3test

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"iter"
	"maps"
	"net/http"
	"slices"
	"time"

	"github.com/google/uuid"

	"github.com/insulahq/insula/platform/id"
	"github.com/insulahq/insula/platform/s3x"
)

// unfinished is an upload in parts.
type unfinished struct {
	s3x.Unfinished
	contentType string
	parts       map[int32][]byte
}

// partLink is what a link to a part stands for.
type partLink struct {
	upload string
	number int32
	size   int64
}

// Begin implements s3x.Blobs.
func (m *Memory) Begin(ctx context.Context, key s3x.Key, contentType string) (string, error) {
	if err := m.enter(ctx); err != nil {
		return "", err
	}
	defer m.mu.Unlock()
	upload := id.System{}.New().String()
	m.open[upload] = &unfinished{
		Unfinished:  s3x.Unfinished{Key: key, Upload: upload, Begun: m.clock.Now()},
		contentType: contentType, parts: map[int32][]byte{},
	}
	return upload, nil
}

// find is the upload of a key; the lock must be held.
func (m *Memory) find(key s3x.Key, upload string) (*unfinished, error) {
	u, ok := m.open[upload]
	if !ok || u.Key != key {
		return nil, s3x.ErrNotFound
	}
	return u, nil
}

// PresignPart implements s3x.Blobs.
func (m *Memory) PresignPart(ctx context.Context, key s3x.Key, upload string, number int32, size int64, life time.Duration) (s3x.Link, error) {
	if err := s3x.CheckPart(number, size, life); err != nil {
		return s3x.Link{}, err
	}
	header := http.Header{"Content-Length": {fmt.Sprint(size)}}
	return m.sign(ctx, link{Link: s3x.Link{Method: http.MethodPut, Header: header}, key: key, part: &partLink{upload, number, size}}, life)
}

func (m *Memory) followPart(w http.ResponseWriter, l link, body []byte) {
	u, err := m.find(l.key, l.part.upload)
	switch {
	case err != nil:
		http.Error(w, "no such upload", http.StatusNotFound)
	case int64(len(body)) != l.part.size:
		http.Error(w, "not what was signed", http.StatusForbidden)
	default:
		u.parts[l.part.number] = body
		w.Header().Set("ETag", `"`+etag(body)+`"`)
	}
}

func etag(content []byte) string {
	sum := sha256.Sum256(content)
	return hex.EncodeToString(sum[:16])
}

// Parts implements s3x.Blobs.
func (m *Memory) Parts(ctx context.Context, key s3x.Key, upload string) ([]s3x.Part, error) {
	if err := m.enter(ctx); err != nil {
		return nil, err
	}
	defer m.mu.Unlock()
	u, err := m.find(key, upload)
	if err != nil {
		return nil, err
	}
	var parts []s3x.Part
	for _, number := range slices.Sorted(maps.Keys(u.parts)) {
		content := u.parts[number]
		parts = append(parts, s3x.Part{Number: number, Size: int64(len(content)), ETag: etag(content)})
	}
	return parts, nil
}

// Complete implements s3x.Blobs.
func (m *Memory) Complete(ctx context.Context, key s3x.Key, upload string, parts []s3x.Part) error {
	if err := m.enter(ctx); err != nil {
		return err
	}
	defer m.mu.Unlock()
	u, err := m.find(key, upload)
	if err != nil {
		return err
	}
	var content []byte
	for i, p := range parts {
		stored, ok := u.parts[p.Number]
		last := i == len(parts)-1
		if !ok || etag(stored) != p.ETag || i > 0 && parts[i-1].Number >= p.Number || !last && len(stored) < s3x.MinPartBytes {
			return fmt.Errorf("part %d: %w", p.Number, s3x.ErrParts)
		}
		content = append(content, stored...)
	}
	if len(parts) == 0 {
		return s3x.ErrParts
	}
	delete(m.open, upload)
	m.store(key, content, u.contentType)
	whole := m.objects[key]
	whole.object.SHA256 = "" // S3 knows the sums of the parts alone
	m.objects[key] = whole
	return nil
}

// Abort implements s3x.Blobs.
func (m *Memory) Abort(ctx context.Context, key s3x.Key, upload string) error {
	if err := m.enter(ctx); err != nil {
		return err
	}
	defer m.mu.Unlock()
	if _, err := m.find(key, upload); err == nil {
		delete(m.open, upload)
	}
	return nil
}

// Unfinished implements s3x.Blobs.
func (m *Memory) Unfinished(ctx context.Context, tenantID uuid.UUID) iter.Seq2[s3x.Unfinished, error] {
	return func(yield func(s3x.Unfinished, error) bool) {
		if err := m.enter(ctx); err != nil {
			yield(s3x.Unfinished{}, err)
			return
		}
		var found []s3x.Unfinished
		for _, u := range m.open {
			if u.Key.Tenant() == tenantID {
				found = append(found, u.Unfinished)
			}
		}
		m.mu.Unlock() // the body of the loop may call us
		slices.SortFunc(found, func(a, b s3x.Unfinished) int { return cmp.Compare(a.Key.String(), b.Key.String()) })
		for _, u := range found {
			if !yield(u, nil) {
				return
			}
		}
	}
}
