package pg

import (
	"testing"

	"github.com/google/uuid"
)

func newTestShards(n int) *shards {
	s := &shards{size: 2, heat: heat{count: map[uuid.UUID]int{}}}
	for range n {
		s.all = append(s.all, &shard{})
	}
	return s
}

// take chooses a shard and keeps it busy, as acquire does.
func (s *shards) take(tenant *uuid.UUID) *shard {
	c := s.choose(tenant)
	c.busy.Add(1)
	return c
}

func TestTenantsStayAtHome(t *testing.T) {
	s := newTestShards(4)
	seen := map[*shard]int{}
	for i := range 400 {
		tenant := tenantNo(i)
		home := s.home(tenant)
		seen[home]++
		for range 2 {
			if s.choose(&tenant) != home {
				t.Fatalf("tenant %d left home", i)
			}
		}
	}
	if len(seen) != 4 {
		t.Errorf("%d shards are used", len(seen))
	}
}

func TestAColdTenantWaitsAtHome(t *testing.T) {
	s := newTestShards(4)
	for i := range 10_000 {
		tenant := tenantNo(i % 1000)
		s.choose(&tenant)
	}
	cold := tenantNo(7)
	home := s.home(cold)
	home.busy.Store(s.size)
	if s.choose(&cold) != home {
		t.Error("a tenant among a thousand borrowed")
	}
}

// One tenant alone may use every connection, and its requests queue evenly.
func TestAHotTenantBorrows(t *testing.T) {
	s := newTestShards(4)
	hot := tenantNo(1)
	for range 100 {
		s.choose(&hot)
	}
	for range 16 {
		s.take(&hot)
	}
	for i, one := range s.all {
		if got := one.busy.Load(); got != 4 {
			t.Errorf("shard %d has %d of 16 requests", i, got)
		}
	}
}

func TestNobodyTakesTheIdlest(t *testing.T) {
	s := newTestShards(3)
	for range 9 {
		s.take(nil)
	}
	for i, one := range s.all {
		if one.busy.Load() != 3 {
			t.Errorf("shard %d has %d of 9", i, one.busy.Load())
		}
	}
}
