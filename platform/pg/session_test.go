package pg

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5/pgconn"
)

func newTestSession() *session {
	return newSession(&dictionary{}, &turnover{}, DefaultBackendMemory, false)
}

const query = "-- name: GetThing :one\nSELECT 1"

func tenantNo(i int) uuid.UUID { return uuid.UUID{0: byte(i >> 8), 1: byte(i), 15: byte(i)} }

// fill leaves a session little room for more statements.
func (s *session) fill() { s.fillWith(maxStatements / 2) }

func (s *session) fillWith(n int) {
	for i := range n {
		s.statements[fmt.Sprint(i)] = nil
	}
}

func TestWithMuchRoomEverybodyGetsTheirOwnStatements(t *testing.T) {
	s := newTestSession()
	if got := s.text(tenantNo(1), query, false); got == query {
		t.Error("a first visit got the shared statement")
	}
	s.fill()
	if got := s.text(tenantNo(2), query, false); got != query {
		t.Errorf("a first visit with little room got %q", got)
	}
}

// Who visits a connection that is not their home has to come often, also where
// there is much room.
func TestVisitorsGetTheirOwnStatementsWhenTheyComeOften(t *testing.T) {
	s := newTestSession()
	for i := range frequent + 1 {
		text := s.text(tenantNo(1), query, true)
		if own := text != query; own != (i+1 >= frequent) {
			t.Errorf("visit %d: %q", i+1, text)
		}
	}
}

func TestFrequentTenantsGetTheirOwnStatements(t *testing.T) {
	s := newTestSession()
	s.fill()
	a, b := tenantNo(1), tenantNo(2)
	for i := range frequent + 2 {
		text := s.text(a, query, false)
		if own := text != query; own != (i+1 >= frequent) {
			t.Fatalf("visit %d: %q", i+1, text)
		}
	}
	if got := s.text(b, query, false); got != query {
		t.Errorf("a newcomer got %q", got)
	}
	own := s.text(a, query, false)
	if !strings.HasPrefix(own, query) || !strings.Contains(own, a.String()) || strings.Contains(own, b.String()) {
		t.Errorf("own statement %q", own)
	}
	for range frequent {
		s.text(b, query, false)
	}
	if s.text(b, query, false) == own {
		t.Error("two tenants share a statement of one's own")
	}
}

// A statement of one row is prepared under a name of its own, once, and who does
// not come any more has it closed.
func TestStatementsThatTravel(t *testing.T) {
	s := newTestSession()
	a, b := tenantNo(1), tenantNo(2)
	if s.one(a, query, false) != nil {
		t.Error("its types are not known yet")
	}
	s.dictionary.learn(&pgconn.StatementDescription{SQL: query + tag + "somebody */", ParamOIDs: []uint32{20}})
	first := s.one(a, query, false)
	if first == nil || first.there || len(first.sd.ParamOIDs) != 1 || first.sd.SQL == query {
		t.Fatalf("got %+v", first)
	}
	if s.one(a, query, false) != first || s.one(b, query, false).sd.Name == first.sd.Name {
		t.Error("one statement has two names, or two have one")
	}
	first.there = true
	s.forget(first.sd.SQL)
	if len(s.closing) != 1 || s.closing[0] != first.sd.Name || s.one(a, query, false) == first {
		t.Errorf("%v are to be closed", s.closing)
	}
}

func TestStatementsAreBounded(t *testing.T) {
	s := newTestSession()
	for i := range maxStatements * 2 {
		for range frequent {
			s.text(tenantNo(i), query, false)
		}
		if text := s.text(tenantNo(i), query, false); text != query {
			s.statements[text] = nil
		}
	}
	if len(s.statements) > maxStatements {
		t.Errorf("%d statements, at most %d are counted on", len(s.statements), maxStatements)
	}
}

// Who stays away loses their statements when others need the room, and not before.
func TestWhoStaysAwayLosesTheirStatements(t *testing.T) {
	for name, tc := range map[string]struct {
		filled int
		kept   bool
	}{"room for one": {maxStatements - 1, false}, "room for more": {maxStatements / 2, true}} {
		t.Run(name, func(t *testing.T) {
			s := newTestSession()
			s.fillWith(tc.filled)
			gone := tenantNo(1)
			for range frequent {
				s.text(gone, query, false)
			}
			s.statements[s.text(gone, query, false)] = nil
			for range halveAfter * 3 {
				s.text(tenantNo(2), query, false)
			}
			if own := s.tenants[gone].own[query]; (own != "") != tc.kept {
				t.Errorf("has %q", own)
			}
			if kept := len(s.statements) - tc.filled; (kept == 1) != tc.kept {
				t.Errorf("still counts on %d statements", kept)
			}
		})
	}
}

// A connection that holds what it may gives nobody statements of their own.
func TestMemoryBoundsStatements(t *testing.T) {
	s := newSession(&dictionary{}, &turnover{}, emptyBackend+4*relationsMemory, false)
	for i := range 5 {
		s.text(tenantNo(i), query, false)
	}
	for range frequent * 2 {
		if got := s.text(tenantNo(9), query, false); got != query {
			t.Errorf("got %q", got)
		}
	}
}

// Each new tenant and statement makes a backend grow, until it is replaced; what
// it is asked for again does not.
func TestAConnectionWearsOut(t *testing.T) {
	now := time.Date(2026, 11, 30, 12, 0, 0, 0, time.UTC)
	s := newSession(&dictionary{}, &turnover{}, emptyBackend+10*relationsMemory, false)
	for i := range 10 {
		for range 3 {
			s.text(tenantNo(i), query, false)
		}
	}
	if s.worn(now) {
		t.Error("worn at its limit")
	}
	s.text(tenantNo(0), query+" -- another", false)
	if !s.worn(now) {
		t.Error("not worn beyond its limit")
	}
	s.text(tenantNo(0), query+" -- one more", false)
	if s.worn(now) {
		t.Error("worn although another one has just ended")
	}
	for i := 0; s.memory <= overdue(s.limit); i++ {
		s.text(tenantNo(100+i), query, false)
	}
	if !s.worn(now) {
		t.Error("overdue, and not replaced")
	}
}

// Connections that grow alike are replaced one after the other.
func TestConnectionsAreReplacedInTurn(t *testing.T) {
	now := time.Date(2026, 11, 30, 12, 0, 0, 0, time.UTC)
	var turns turnover
	for i := range 5 {
		at := now.Add(time.Duration(i) * turnoverPause)
		if !turns.take(at, false) || turns.take(at, false) || turns.take(at.Add(turnoverPause-1), false) {
			t.Errorf("after %s not one connection had its turn", at.Sub(now))
		}
	}
	if !turns.take(now.Add(4*turnoverPause+1), true) {
		t.Error("one that must end had to wait")
	}
	if got := turns.total.Load(); got != 6 {
		t.Errorf("%d were replaced", got)
	}
	limits := map[int64]bool{}
	for i := range uint64(16) {
		limit := wearLimit(1000, i)
		if limits[limit] = true; limit > 1000 || limit < 750 {
			t.Errorf("connection %d wears out at %d of 1000", i, limit)
		}
	}
	if len(limits) < 4 {
		t.Errorf("all wear out at %v", limits)
	}
}

func TestHeat(t *testing.T) {
	h := newHeat()
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
	s := newTestSession()
	for i := range 100 {
		for range frequent {
			s.text(tenantNo(i), query, false)
		}
	}
	b.ReportAllocs()
	for i := range b.N {
		_ = s.text(tenantNo(i%100), query, false)
	}
}
