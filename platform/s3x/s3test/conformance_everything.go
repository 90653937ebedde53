package s3test

import (
	"context"
	"errors"
	"testing"

	"github.com/google/uuid"

	"github.com/insulahq/insula/platform/s3x"
)

// everything: what is kept of a tenant can be counted and removed at once, of every sort, and nobody else's with it.
func (s *suite) everything(t *testing.T) {
	tenant, other := s.ids.New(), s.ids.New()
	s.put(t, s3x.TenantKey(tenant, s.ids.New()), noise(10))
	s.put(t, s3x.TenantKey(tenant, s.ids.New()), noise(20))
	s.put(t, s3x.EvidenceKey(tenant, s3x.Heads, 7), noise(30))
	s.put(t, s3x.EvidenceKey(tenant, s3x.Records, 7), noise(40))
	foreign := s3x.TenantKey(other, s.ids.New())
	s.put(t, foreign, noise(5))
	open := s3x.TenantKey(tenant, s.ids.New())
	upload, err := s.store.Begin(t.Context(), open, "text/plain")
	if err != nil {
		t.Fatal(err)
	}
	s.stocks(t, tenant, s3x.Stock{Objects: 4, Bytes: 100})
	for range 2 { // once more does no harm
		if err := s.store.Purge(t.Context(), tenant); err != nil {
			t.Fatal(err)
		}
		s.stocks(t, tenant, s3x.Stock{})
	}
	if _, err := s.store.Parts(t.Context(), open, upload); !errors.Is(err, s3x.ErrNotFound) {
		t.Errorf("an unfinished upload is still there: %v", err)
	}
	s.stocks(t, other, s3x.Stock{Objects: 1, Bytes: 5})
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	if err := s.store.Purge(ended, other); !errors.Is(err, context.Canceled) {
		t.Errorf("with an ended context: %v", err)
	}
	s.stocks(t, other, s3x.Stock{Objects: 1, Bytes: 5})
}

func (s *suite) stocks(t *testing.T, tenant uuid.UUID, want s3x.Stock) {
	t.Helper()
	if got, err := s.store.Stock(t.Context(), tenant); err != nil || got != want {
		t.Errorf("in stock: %+v, %v; want %+v", got, err, want)
	}
}
