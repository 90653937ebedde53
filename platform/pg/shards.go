package pg

import (
	"context"
	"encoding/binary"
	"sync/atomic"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/insulahq/insula/platform/telemetry"
)

// shards are the connections of a pool in groups. A tenant has a home shard,
// so it meets the same few connections again, which know its schema and keep
// its plans; each connection meets only a part of the tenants. A tenant that
// makes a good part of the whole load borrows from the idlest shard when its
// own is busy. The others wait: lending to everybody would make every
// connection meet every tenant.
type shards struct {
	all  []*shard
	size int32 // connections of each
	heat heat
	// tracer hears of the reads that package pg sends by itself.
	tracer pgx.QueryTracer
	// pooled says that nothing can stay prepared, so that no reads travel together.
	pooled bool
	doors  *entrances
}

type shard struct {
	pool  *pgxpool.Pool
	busy  atomic.Int32
	quick queue
}

// shardSize is how many connections share the tenants of a shard: two, so
// that a slow statement does not stop the shard.
const shardSize = 2

func openShards(ctx context.Context, cfg *pgxpool.Config, pooled bool, of Shares) (*shards, error) {
	total := cfg.MaxConns
	n := max(total/shardSize, 1)
	s := &shards{size: total / n, heat: heat{count: map[uuid.UUID]int{}}, tracer: cfg.ConnConfig.Tracer, pooled: pooled, doors: newEntrances(of)}
	for i := range n {
		part := cfg.Copy()
		part.MaxConns = s.size
		if i < total%n {
			part.MaxConns++ // what does not divide evenly
		}
		pool, err := pgxpool.NewWithConfig(ctx, part)
		if err != nil {
			s.close()
			return nil, err
		}
		s.all = append(s.all, &shard{pool: pool})
	}
	return s, nil
}

// one makes a single shard of a pool that needs no more.
func one(pool *pgxpool.Pool) *shards {
	return &shards{all: []*shard{{pool: pool}}, size: pool.Config().MaxConns, doors: newEntrances(nil)}
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
		sum.Acquired += p.AcquireCount()
		sum.Waited += p.EmptyAcquireCount()
		sum.WaitTime += p.AcquireDuration()
	}
	return sum
}

// home is the shard of a tenant. The end of a UUIDv7 is random.
func (s *shards) home(tenant uuid.UUID) *shard {
	return s.all[binary.BigEndian.Uint64(tenant[8:])%uint64(len(s.all))]
}

// idlest is the shard with the fewest busy connections.
func (s *shards) idlest() *shard {
	best := s.all[0]
	for _, other := range s.all[1:] {
		if other.busy.Load() < best.busy.Load() {
			best = other
		}
	}
	return best
}

// choose finds the shard for a tenant, or for nobody.
func (s *shards) choose(tenant *uuid.UUID) *shard {
	if tenant == nil || len(s.all) == 1 {
		return s.idlest()
	}
	home := s.home(*tenant)
	hot := s.heat.rise(*tenant, hotShare*len(s.all))
	if !hot || home.busy.Load() < s.size {
		return home
	}
	return s.idlest() // also when all are busy: the shortest queue
}

// hotShare makes a tenant hot that asks for more than a quarter of what one
// shard can give.
const hotShare = 4

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
	chosen := s.choose(tenant)
	chosen.busy.Add(1)
	c, err := chosen.pool.Acquire(ctx)
	if err != nil {
		chosen.busy.Add(-1)
		return nil, err
	}
	return &conn{Conn: c, shard: chosen, leave: func() {}}, nil
}

// conn is a connection that knows where it came from.
type conn struct {
	*pgxpool.Conn
	shard *shard
	share Share  // of the tenant it was taken for
	leave func() // makes room for the tenant's next unit of work
}

func (c *conn) session() *session { return sessionOf(c.Conn.Conn()) }

// Release gives the connection back, once.
func (c *conn) Release() {
	c.shard.busy.Add(-1)
	c.Conn.Release()
	c.leave()
}
