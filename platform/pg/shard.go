package pg

import (
	"context"
	"errors"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
)

// errStuck says that the one who has a connection keeps it for long.
var errStuck = errors.New("the connection is kept")

// stuck reports that somebody has had the connection for longer than patience,
// where there are others to go to.
func (s *shard) stuck() bool {
	if s.only {
		return false
	}
	since := s.since.Load()
	return since != 0 && time.Now().UnixNano()-since > int64(s.pace.patience())
}

// kept reports that reads of one row had better not wait here.
func (s *shard) kept() bool { return s.units.Load() > 0 || s.stuck() }

// take waits for the connection. It returns errStuck, at least patience later,
// when the one who has it keeps it.
func (s *shard) take(ctx context.Context) (*pgxpool.Conn, error) {
	patient := !s.only && s.busy.Load() > 1 // somebody else is here
	for {
		c, err := s.await(ctx, patient)
		switch {
		case err == nil:
			s.since.Store(time.Now().UnixNano())
			return c, nil
		case ctx.Err() != nil || !patient || !errors.Is(err, context.DeadlineExceeded):
			return nil, err
		case s.stuck():
			return nil, errStuck
		}
		patient = s.since.Load() != 0 // else it is being opened, which takes its time
	}
}

// await waits for the connection, at most for patience if it is to.
func (s *shard) await(ctx context.Context, patient bool) (*pgxpool.Conn, error) {
	if patient {
		var done context.CancelFunc
		ctx, done = context.WithTimeout(ctx, s.pace.patience())
		defer done()
	}
	return s.pool.Acquire(ctx)
}

// release gives a connection back, or closes one that is worn or doubtful.
func (s *shard) release(c *pgxpool.Conn) {
	defer c.Release()
	s.since.Store(0)
	session := sessionOf(c.Conn())
	if session != nil {
		s.memory.Store(session.memory)
	}
	if session != nil && (session.doubtful || session.worn(time.Now())) {
		s.memory.Store(emptyBackend)
		ctx, cancel := context.WithTimeout(context.Background(), abandonTimeout)
		defer cancel()
		_ = c.Conn().Close(ctx) // the pool replaces it
	}
}
