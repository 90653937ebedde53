package pg

import (
	"context"
	"encoding/binary"
	"errors"
	"sync/atomic"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/insulahq/insula/platform/telemetry"
)

// shards are the connections of a pool, one by one. A tenant has a home, so it
// meets the same connection again, which knows its schema and keeps its plans;
// each connection meets only a part of the tenants.
//
// A unit of work that finds its home busy goes next door, always the same, and
// then to whoever idles, so few connections meet a tenant. Reads of one row (see
// quick) wait at home for one another instead, unless a unit of work keeps it.
// Only a tenant that makes a good part of the whole load goes where the fewest
// wait: lending to everybody would make every connection meet every tenant. And
// nobody stays behind one who keeps a connection for long (see stuck).
type shards struct {
	all  []*shard
	heat heat
	// turns are when worn connections end.
	turns *turnover
	// tracer hears of the reads that package pg sends by itself.
	tracer pgx.QueryTracer
	// pooled says that nothing can stay prepared, so that no reads travel together.
	pooled bool
	doors  *entrances
	pace   *pace
	met    atomic.Int64 // statements that a connection ran for a tenant for the first time
}

type shard struct {
	pool   *pgxpool.Pool
	only   bool         // there is no other
	pace   *pace        // of all connections together
	busy   atomic.Int32 // units of work and reads that are here, also waiting ones
	units  atomic.Int32 // those of them that keep a connection for themselves
	since  atomic.Int64 // somebody has the connection, in Unix nanoseconds; 0 for nobody
	quick  queue
	opened atomic.Int64 // how often its connection was
	seen   atomic.Int64 // of these, how many somebody has looked after (see Pool.Renewed)
	// memory is the estimate for the backend, as of when the connection came back.
	memory atomic.Int64
}

func openShards(ctx context.Context, cfg *pgxpool.Config, turns *turnover, pooled bool, of Shares) (*shards, error) {
	s := &shards{turns: turns, heat: newHeat(), tracer: cfg.ConnConfig.Tracer, pooled: pooled, doors: newEntrances(of), pace: &pace{}}
	for range cfg.MaxConns {
		at := &shard{only: cfg.MaxConns == 1, pace: s.pace}
		part := cfg.Copy()
		part.MaxConns = 1
		part.AfterConnect = func(ctx context.Context, c *pgx.Conn) error {
			at.opened.Add(1)
			if err := cfg.AfterConnect(ctx, c); err != nil {
				return err
			}
			sessionOf(c).met = &s.met
			return nil
		}
		var err error
		if at.pool, err = pgxpool.NewWithConfig(ctx, part); err != nil {
			s.close()
			return nil, err
		}
		s.all = append(s.all, at)
	}
	return s, nil
}

// one makes a single shard of a pool that needs no more.
func one(pool *pgxpool.Pool) *shards {
	return &shards{all: []*shard{{pool: pool, only: true}}, heat: newHeat(), turns: &turnover{}, doors: newEntrances(nil)}
}

func (s *shards) close() {
	for _, part := range s.all {
		part.pool.Close()
	}
}

// ready reports whether the database answers.
func (s *shards) ready(ctx context.Context) error {
	c, err := s.acquire(ctx, nil)
	if err != nil {
		return err
	}
	defer c.Release()
	return c.Ping(ctx)
}

// stats is the state of all connections together.
func (s *shards) stats() (sum telemetry.PoolStats) {
	for _, part := range s.all {
		p := part.pool.Stat()
		sum.Max += p.MaxConns()
		sum.Open += p.TotalConns()
		sum.InUse += p.AcquiredConns()
		sum.Idle += p.IdleConns()
		sum.Acquired += p.AcquireCount() + part.quick.joined.Load()
		sum.Waited += p.EmptyAcquireCount() + part.quick.waits.Load()
		sum.Memory += part.memory.Load()
		sum.WaitTime += p.AcquireDuration() + time.Duration(part.quick.waited.Load())
	}
	sum.Replaced = s.turns.total.Load()
	sum.Met = s.met.Load()
	return sum
}

// homes are the home of a tenant and the shard next door to it. The end of a
// UUIDv7 is random.
func (s *shards) homes(tenant uuid.UUID) (home, next *shard) {
	random, n := binary.BigEndian.Uint64(tenant[8:]), uint64(len(s.all))
	at := random % n
	if n == 1 {
		return s.all[0], s.all[0]
	}
	return s.all[at], s.all[(at+1+random/n%(n-1))%n]
}

// visits reports whether a shard is neither the home of a tenant nor the only one.
func (s *shards) visits(at *shard, tenant uuid.UUID) bool {
	home, _ := s.homes(tenant)
	return home != at
}

// idlest is the shard with the fewest who are busy or wait, of those that are
// not stuck if there is one.
func (s *shards) idlest() *shard {
	best, bestStuck := s.all[0], s.all[0].stuck()
	for _, other := range s.all[1:] {
		switch stuck := other.stuck(); {
		case stuck != bestStuck && stuck:
		case stuck != bestStuck, other.busy.Load() < best.busy.Load():
			best, bestStuck = other, stuck
		}
	}
	return best
}

// choose finds the shard for a unit of work of a tenant, or of nobody.
func (s *shards) choose(tenant *uuid.UUID) *shard {
	if tenant == nil {
		return s.idlest()
	}
	home, next := s.homes(*tenant)
	hot := s.heat.rise(*tenant, hotShare*len(s.all))
	switch {
	case home.busy.Load() == 0:
		return home
	case next.busy.Load() == 0:
		return next
	}
	idlest := s.idlest()
	switch {
	case hot, idlest.busy.Load() == 0 && home.units.Load() > 0 && next.units.Load() > 0:
		return idlest
	case home.stuck() && next.stuck():
		return idlest
	case home.stuck():
		return next
	case next.stuck():
		return home
	case next.busy.Load() < home.busy.Load():
		return next
	}
	return home
}

// company finds the shard for a read of one row, which does not mind others. It
// counts as a request of the tenant unless nobody has asked for it.
func (s *shards) company(tenant uuid.UUID, counts bool) *shard {
	hot := counts && s.heat.rise(tenant, hotShare*len(s.all))
	at, kept := s.open(tenant)
	if !hot && !kept {
		return at
	}
	idlest := s.idlest()
	if kept && (idlest.busy.Load() == 0 || at.stuck()) || hot && idlest.busy.Load()+crowd < at.busy.Load() {
		return idlest
	}
	return at
}

// open is the home of a tenant or, when that is kept, the shard next door; kept
// says that both are.
func (s *shards) open(tenant uuid.UUID) (at *shard, kept bool) {
	home, next := s.homes(tenant)
	switch {
	case !home.kept():
		return home, false
	case !next.kept():
		return next, false
	case home.stuck() && !next.stuck():
		return next, true
	}
	return home, true
}

const (
	// hotShare makes a tenant hot that asks for more than a quarter of what one
	// connection can give.
	hotShare = 4
	// crowd is how many more must be at home than elsewhere for the reads of a
	// hot tenant to go there.
	crowd = companions / 2
)

// acquire takes a connection for a tenant, or for nobody.
func (s *shards) acquire(ctx context.Context, tenant *uuid.UUID) (*conn, error) {
	if tenant == nil {
		return s.connect(ctx, nil)
	}
	share := s.doors.of(*tenant)
	if err := s.doors.enter(ctx, *tenant, share); err != nil {
		return nil, err
	}
	c, err := s.connect(ctx, tenant)
	if err != nil {
		s.doors.leave(*tenant)
		return nil, err
	}
	c.share, c.leave = share, func() { s.doors.leave(*tenant) }
	return c, nil
}

func (s *shards) connect(ctx context.Context, tenant *uuid.UUID) (*conn, error) {
	for {
		chosen := s.choose(tenant)
		chosen.busy.Add(1)
		chosen.units.Add(1)
		c, err := chosen.take(ctx)
		if err == nil {
			return &conn{Conn: c, shard: chosen, leave: func() {}, visits: tenant != nil && s.visits(chosen, *tenant)}, nil
		}
		chosen.units.Add(-1)
		chosen.busy.Add(-1)
		if !errors.Is(err, errStuck) {
			return nil, err
		}
	}
}

// conn is a connection that knows where it came from.
type conn struct {
	*pgxpool.Conn
	shard  *shard
	visits bool   // the tenant it was taken for is at home elsewhere
	share  Share  // of that tenant
	leave  func() // makes room for the tenant's next unit of work
}

func (c *conn) session() *session { return sessionOf(c.Conn.Conn()) }

// text is a statement as a tenant sends it on this connection.
func (c *conn) text(tenant uuid.UUID, sql string) string {
	return c.session().text(tenant, sql, c.visits)
}

// Release gives the connection back, once.
func (c *conn) Release() {
	c.shard.units.Add(-1)
	c.shard.busy.Add(-1)
	c.shard.release(c.Conn)
	c.leave()
}
