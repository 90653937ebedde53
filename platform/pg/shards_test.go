package pg

import (
	"testing"

	"github.com/google/uuid"
)

func newTestShards(n int) *shards {
	s := &shards{heat: newHeat()}
	for range n {
		s.all = append(s.all, &shard{})
	}
	return s
}

// take chooses a shard for a unit of work and keeps it busy, as acquire does.
func (s *shards) take(tenant *uuid.UUID) *shard {
	c := s.choose(tenant)
	c.busy.Add(1)
	c.units.Add(1)
	return c
}

func TestTenantsStayAtHome(t *testing.T) {
	s := newTestShards(4)
	seen := map[*shard]int{}
	for i := range 400 {
		tenant := tenantNo(i)
		home, next := s.homes(tenant)
		if home == next {
			t.Fatal("next door is at home")
		}
		seen[home]++
		for range 2 {
			if s.choose(&tenant) != home || s.company(tenant, true) != home {
				t.Fatalf("tenant %d left home", i)
			}
		}
	}
	if len(seen) != 4 {
		t.Errorf("%d shards are used", len(seen))
	}
}

// cold is a tenant among a thousand.
func (s *shards) cold() uuid.UUID {
	for i := range 10_000 {
		tenant := tenantNo(i % 1000)
		s.choose(&tenant)
	}
	return tenantNo(7)
}

func TestAUnitGoesNextDoorAndThenToWhoIdles(t *testing.T) {
	s := newTestShards(4)
	cold := s.cold()
	home, next := s.homes(cold)
	for i, want := range []*shard{home, next} {
		if got := s.take(&cold); got != want {
			t.Errorf("unit %d went elsewhere", i+1)
		}
	}
	for range 2 {
		if got := s.take(&cold); got == home || got == next || got.units.Load() != 1 {
			t.Error("a unit did not go to a connection that idles")
		}
	}
	for range 2 {
		if got := s.take(&cold); got != home && got != next {
			t.Error("a tenant among a thousand waits for a connection that is not its own")
		}
	}
}

// Reads of one row wait for one another at home, but not for a unit of work
// while there is a way around it.
func TestAReadGoesAroundUnits(t *testing.T) {
	s := newTestShards(3)
	cold := s.cold()
	home, next := s.homes(cold)
	home.busy.Store(20)
	if s.company(cold, true) != home {
		t.Error("a read did not stay in company")
	}
	home.units.Store(1)
	next.busy.Store(3)
	if s.company(cold, true) != next {
		t.Error("a read waits for a unit of work")
	}
	next.units.Store(1)
	if got := s.company(cold, true); got == home || got == next {
		t.Error("a read waits while a connection idles")
	}
	s.idlest().busy.Store(30)
	if s.company(cold, true) != home {
		t.Error("a read did not stay at home where all are busy")
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
	home, _ := s.homes(hot)
	for _, one := range s.all {
		one.units.Store(0)
	}
	home.busy.Store(4 + crowd)
	if s.company(hot, true) != home {
		t.Error("its reads left a home that is not crowded")
	}
	home.busy.Add(1)
	if s.company(hot, true) == home {
		t.Error("its reads stay in the crowd")
	}
}

// What is read ahead does not make a tenant hot, nor busy.
func TestReadingAheadDoesNotCount(t *testing.T) {
	s := newTestShards(4)
	tenant := tenantNo(1)
	for range 100 {
		s.company(tenant, false)
	}
	if got := s.heat.take(); len(got) != 0 || len(s.heat.count) != 0 {
		t.Errorf("counted %v", got)
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
