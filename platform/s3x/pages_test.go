package s3x_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"testing"

	"github.com/google/uuid"

	"github.com/insulahq/insula/platform/config"
	"github.com/insulahq/insula/platform/s3x"
	"github.com/insulahq/insula/platform/secret"
)

// sparing is an S3 server that lists one unfinished upload a page.
type sparing struct {
	uploads []upload
	aborted []string
}

type upload struct{ key, id string }

func (s *sparing) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	switch {
	case r.Method == http.MethodDelete && q.Has("uploadId"):
		s.aborted = append(s.aborted, q.Get("uploadId"))
		w.WriteHeader(http.StatusNoContent)
	case r.Method == http.MethodDelete:
		w.WriteHeader(http.StatusNoContent)
	case q.Has("uploads"):
		s.list(w, q.Get("upload-id-marker"))
	default:
		w.Header().Set("Content-Type", "application/xml")
		fmt.Fprint(w, `<ListBucketResult/>`)
	}
}

func (s *sparing) list(w http.ResponseWriter, marker string) {
	next := 1 + slices.IndexFunc(s.uploads, func(u upload) bool { return u.id == marker })
	u := s.uploads[next]
	w.Header().Set("Content-Type", "application/xml")
	fmt.Fprintf(w, `<ListMultipartUploadsResult><IsTruncated>%t</IsTruncated><NextKeyMarker>%s</NextKeyMarker><NextUploadIdMarker>%s</NextUploadIdMarker>`+
		`<Upload><Key>%s</Key><UploadId>%s</UploadId></Upload></ListMultipartUploadsResult>`, next+1 < len(s.uploads), u.key, u.id, u.key, u.id)
}

// TestUnfinishedUploadsOfManyPages: whoever takes away what uploads have left
// goes to the end of the list, and touches nobody else's.
func TestUnfinishedUploadsOfManyPages(t *testing.T) {
	t.Parallel()
	key, sibling := newKey(), newKey()
	sibling = s3x.TenantKey(key.Tenant(), sibling.File())
	other := s3x.TenantKey(uuid.New(), key.File())
	all := []upload{{key.String(), "1"}, {sibling.String(), "2"}, {key.String(), "3"}, {other.String(), "4"}, {key.String(), "5"}}
	for name, tc := range map[string]struct {
		do   func(*s3x.Store) error
		want []string
	}{
		"discard": {func(s *s3x.Store) error { return s.Discard(t.Context(), key) }, []string{"1", "3", "5"}},
		"purge":   {func(s *s3x.Store) error { return s.Purge(t.Context(), key.Tenant()) }, []string{"1", "2", "3", "5"}},
		"walk": {func(s *s3x.Store) error {
			found := 0
			for u, err := range s.Unfinished(t.Context(), key.Tenant()) {
				if err != nil {
					return err
				}
				found++
				if u.Key.Tenant() != key.Tenant() {
					return fmt.Errorf("upload of %s", u.Key)
				}
			}
			if found != 4 {
				return fmt.Errorf("found %d", found)
			}
			return nil
		}, nil},
	} {
		server := &sparing{uploads: all}
		srv := httptest.NewServer(server)
		store := open(t, config.S3{Endpoint: srv.URL, Region: "us-east-1", Bucket: "b", AccessKey: "k", SecretKey: secret.New("s"), PathStyle: true})
		if err := tc.do(store); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		srv.Close()
		if !slices.Equal(server.aborted, tc.want) {
			t.Errorf("%s aborts %v, not %v", name, server.aborted, tc.want)
		}
	}
}
