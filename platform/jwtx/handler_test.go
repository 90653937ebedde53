package jwtx_test

import (
	"crypto/rand"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/insulahq/insula/platform/clock"
	"github.com/insulahq/insula/platform/jwtx"
)

func TestHandlerPublishesPublicKeysOnly(t *testing.T) {
	now := time.Date(2026, 5, 1, 12, 0, 0, 0, time.UTC)
	active, err := jwtx.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	gone, err := jwtx.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	keys, err := jwtx.NewKeySet(active, gone.Public(now.Add(-time.Second)))
	if err != nil {
		t.Fatal(err)
	}

	rec := httptest.NewRecorder()
	jwtx.Handler(keys, clock.At(now))(rec, httptest.NewRequest(http.MethodGet, "/.well-known/jwks.json", nil))

	if got := rec.Header().Get("Content-Type"); got != "application/jwk-set+json" {
		t.Errorf("content type %q", got)
	}
	if got := rec.Header().Get("Cache-Control"); !strings.Contains(got, "max-age=") {
		t.Errorf("cache control %q", got)
	}
	var doc struct{ Keys []map[string]string }
	if err := json.Unmarshal(rec.Body.Bytes(), &doc); err != nil {
		t.Fatal(err)
	}
	if len(doc.Keys) != 1 || doc.Keys[0]["kid"] != active.ID() {
		t.Fatalf("keys %v, want the active one alone", doc.Keys)
	}
	if _, private := doc.Keys[0]["d"]; private {
		t.Error("the private half is published")
	}
}
