package pg

import (
	"strings"
	"testing"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5/pgconn"
)

func newTestSession(limit int) *session {
	return &session{statements: map[string]*pgconn.StatementDescription{}, tenants: map[uuid.UUID]*guest{}, limit: limit}
}

const query = "-- name: GetThing :one\nSELECT 1"

func tenantNo(i int) uuid.UUID { return uuid.UUID{0: byte(i >> 8), 1: byte(i), 15: byte(i)} }

func TestFrequentTenantsGetTheirOwnStatements(t *testing.T) {
	s := newTestSession(100)
	a, b := tenantNo(1), tenantNo(2)
	for i := range frequent + 2 {
		text := s.text(a, query)
		if own := text != query; own != (i+1 >= frequent) {
			t.Fatalf("visit %d: %q", i+1, text)
		}
	}
	if got := s.text(b, query); got != query {
		t.Errorf("a newcomer got %q", got)
	}
	own := s.text(a, query)
	if !strings.HasPrefix(own, query) || !strings.Contains(own, a.String()) || strings.Contains(own, b.String()) {
		t.Errorf("own statement %q", own)
	}
	for range frequent {
		s.text(b, query)
	}
	if s.text(b, query) == own {
		t.Error("two tenants share a statement of one's own")
	}
}

func TestStatementsAreBounded(t *testing.T) {
	s := newTestSession(1 << 20)
	for i := range maxStatements * 2 {
		for range frequent {
			s.text(tenantNo(i), query)
		}
		if text := s.text(tenantNo(i), query); text != query {
			s.statements[text] = nil
		}
	}
	if len(s.statements) > maxStatements {
		t.Errorf("%d statements, at most %d are counted on", len(s.statements), maxStatements)
	}
}

func TestWhoStaysAwayLosesTheirStatements(t *testing.T) {
	s := newTestSession(1 << 20)
	gone := tenantNo(1)
	for range frequent {
		s.text(gone, query)
	}
	s.statements[s.text(gone, query)] = nil
	for range halveAfter * 3 {
		s.text(tenantNo(2), query)
	}
	if own := s.tenants[gone].own; own != nil || s.text(gone, query) != query && s.tenants[gone].uses < frequent {
		t.Errorf("still has %v", own)
	}
	if len(s.statements) != 0 {
		t.Errorf("still counts on %v", s.statements)
	}
}

func TestAConnectionWearsOut(t *testing.T) {
	s := newTestSession(10)
	for i := range 10 {
		s.text(tenantNo(i), query)
	}
	if s.worn {
		t.Error("worn at its limit")
	}
	s.text(tenantNo(10), query)
	if !s.worn {
		t.Error("not worn beyond its limit")
	}
}

func TestHeat(t *testing.T) {
	h := heat{count: map[uuid.UUID]int{}}
	busy, hot, cold := tenantNo(1), false, false
	for i := range heatWindow * 3 {
		if i%2 == 0 {
			hot = h.rise(busy, 16)
		} else {
			cold = h.rise(tenantNo(2+i%500), 16) || cold && i > 1000
		}
	}
	if !hot || cold {
		t.Errorf("busy tenant hot: %v, others hot: %v", hot, cold)
	}
	if len(h.count) > 600 {
		t.Errorf("%d tenants are remembered", len(h.count))
	}
	for range 100_000 {
		h.rise(tenantNo(3), 16)
	}
	if h.rise(busy, 16) {
		t.Error("still hot long after")
	}
}

func BenchmarkText(b *testing.B) {
	s := newTestSession(1 << 20)
	for i := range 100 {
		for range frequent {
			s.text(tenantNo(i), query)
		}
	}
	b.ReportAllocs()
	for i := range b.N {
		_ = s.text(tenantNo(i%100), query)
	}
}
