package tenancy_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/google/uuid"
	"pgregory.net/rapid"

	"github.com/insulahq/insula/platform/tenancy"
)

// street is a directory in memory that counts how often it is asked.
type street struct {
	houses map[string]tenancy.Tenant
	asked  int
}

func (s *street) ByID(_ context.Context, id uuid.UUID) (tenancy.Tenant, error) {
	s.asked++
	for _, t := range s.houses {
		if t.ID == id {
			return t, nil
		}
	}
	return tenancy.Tenant{}, tenancy.ErrUnknown
}

func (s *street) BySlug(_ context.Context, slug string) (tenancy.Tenant, error) {
	s.asked++
	if t, ok := s.houses[slug]; ok {
		return t, nil
	}
	return tenancy.Tenant{}, tenancy.ErrUnknown
}

func newStreet() *street {
	s := &street{houses: map[string]tenancy.Tenant{}}
	for i, slug := range []string{"acme", "globex"} {
		s.houses[slug] = tenancy.Tenant{ID: uuid.UUID{15: byte(i + 1)}, Slug: slug, Status: tenancy.Active}
	}
	return s
}

func TestResolution(t *testing.T) {
	acme := uuid.UUID{15: 1}
	for _, tc := range []struct {
		name string
		tid  *uuid.UUID
		h    tenancy.Hints
		want string
		err  error
	}{
		{"token alone", &acme, tenancy.Hints{}, "acme", nil},
		{"token and agreeing header", &acme, tenancy.Hints{Header: "acme"}, "acme", nil},
		{"token and agreeing host", &acme, tenancy.Hints{Subdomain: "acme"}, "acme", nil},
		{"token and other header", &acme, tenancy.Hints{Header: "globex"}, "acme", tenancy.ErrMismatch},
		{"token and other host", &acme, tenancy.Hints{Subdomain: "globex"}, "acme", tenancy.ErrMismatch},
		{"token and unknown header", &acme, tenancy.Hints{Header: "nobody"}, "acme", tenancy.ErrMismatch},
		{"token, header and host that differ", &acme, tenancy.Hints{Header: "acme", Subdomain: "globex"}, "acme", tenancy.ErrAmbiguous},
		{"token of no tenant", &uuid.Max, tenancy.Hints{Header: "acme"}, "", tenancy.ErrUnknown},
		{"header alone", nil, tenancy.Hints{Header: "globex"}, "globex", nil},
		{"host alone", nil, tenancy.Hints{Subdomain: "globex"}, "globex", nil},
		{"header and host that differ", nil, tenancy.Hints{Header: "globex", Subdomain: "acme"}, "", tenancy.ErrAmbiguous},
		{"unknown header", nil, tenancy.Hints{Header: "nobody"}, "", tenancy.ErrUnknown},
		{"nothing", nil, tenancy.Hints{}, "", tenancy.ErrRequired},
	} {
		t.Run(tc.name, func(t *testing.T) {
			var got tenancy.Tenant
			var err error
			if tc.tid != nil {
				got, err = tenancy.FromToken(t.Context(), newStreet(), *tc.tid, tc.h)
			} else {
				got, err = tenancy.FromHints(t.Context(), newStreet(), tc.h)
			}
			if got.Slug != tc.want || !errors.Is(err, tc.err) {
				t.Errorf("got %q, %v; want %q, %v", got.Slug, err, tc.want, tc.err)
			}
		})
	}
}

// Whatever a request says, a token is served in its own tenant or not at all.
func TestHintsNeverMoveAToken(t *testing.T) {
	said := rapid.OneOf(rapid.SampledFrom([]string{"", "acme", "globex", "nobody"}), rapid.String())
	rapid.Check(t, func(rt *rapid.T) {
		slug := rapid.SampledFrom([]string{"acme", "globex"}).Draw(rt, "slug")
		dir := newStreet()
		h := tenancy.Hints{Header: said.Draw(rt, "header"), Subdomain: said.Draw(rt, "host")}
		got, err := tenancy.FromToken(t.Context(), dir, dir.houses[slug].ID, h)
		agree := (h.Header == "" || h.Header == slug) && (h.Subdomain == "" || h.Subdomain == slug)
		if got.Slug != slug || (err == nil) != agree {
			rt.Fatalf("token of %s with %+v: %q, %v", slug, h, got.Slug, err)
		}
	})
}

func TestLive(t *testing.T) {
	s := newStreet()
	hits, misses := 0, 0
	live := tenancy.NewLive(s, 10, time.Hour, func(hit bool) {
		if hit {
			hits++
		} else {
			misses++
		}
	})
	for range 3 {
		if got, err := live.BySlug(t.Context(), "acme"); err != nil || got.Slug != "acme" {
			t.Fatal(got, err)
		}
		if got, err := live.ByID(t.Context(), uuid.UUID{15: 1}); err != nil || got.Slug != "acme" {
			t.Fatal(got, err)
		}
	}
	if s.asked != 1 || misses != 1 || hits != 5 {
		t.Errorf("asked %d times for one tenant; %d hits and %d misses were told of", s.asked, hits, misses)
	}
	suspended := s.houses["acme"]
	suspended.Status = tenancy.Suspended
	s.houses["acme"] = suspended
	live.Forget(suspended.ID)
	for range 2 {
		if got, _ := live.BySlug(t.Context(), "acme"); got.Status != tenancy.Suspended {
			t.Error("a change was not seen after Forget")
		}
	}
	if s.asked != 3 {
		t.Errorf("asked %d times: a tenant that is not active must not be remembered", s.asked)
	}
	if _, err := live.BySlug(t.Context(), "nobody"); !errors.Is(err, tenancy.ErrUnknown) {
		t.Errorf("got %v", err)
	}
}
