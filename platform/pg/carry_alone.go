package pg

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5/pgxpool"
)

// ErrTaken says that another process works on the same thing.
var ErrTaken = errors.New("another process is at it")

// lookAfter is how often the connection that holds a lock is looked at.
const lookAfter = 5 * time.Second

// Alone runs fn while no other process runs one for the same id, or returns
// ErrTaken. The lock lives as long as its connection: a process that is killed
// frees it at once. When the connection breaks, so does the context of fn.
func (c *Carrier) Alone(ctx context.Context, id uuid.UUID, fn func(ctx context.Context) error) error {
	return alone(ctx, c.m.pool, id, fn)
}

func alone(ctx context.Context, pool *pgxpool.Pool, id uuid.UUID, fn func(ctx context.Context) error) error {
	return locked(ctx, pool, id, func(conn *pgxpool.Conn) error {
		ctx, lose := context.WithCancelCause(ctx)
		watching := make(chan struct{})
		go func() {
			defer close(watching)
			watch(ctx, conn, lose)
		}()
		err := fn(ctx)
		if cause := context.Cause(ctx); cause != nil && err != nil {
			err = fmt.Errorf("%w: %w", err, cause)
		}
		lose(nil)
		<-watching
		return err
	})
}

// locked runs fn with a connection that holds the lock of an id meanwhile, or
// returns ErrTaken.
func locked(ctx context.Context, pool *pgxpool.Pool, id uuid.UUID, fn func(conn *pgxpool.Conn) error) error {
	conn, err := pool.Acquire(ctx)
	if err != nil {
		return err
	}
	defer conn.Release()
	var got bool
	if err := conn.QueryRow(ctx, "SELECT pg_try_advisory_lock($1)", aloneKey(id)).Scan(&got); err != nil {
		return err
	}
	if !got {
		return ErrTaken
	}
	defer free(ctx, conn, id)
	return fn(conn)
}

// free gives up a lock, if need be with its connection.
func free(ctx context.Context, conn *pgxpool.Conn, id uuid.UUID) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), abandonTimeout)
	defer cancel()
	if _, err := conn.Exec(ctx, "SELECT pg_advisory_unlock($1)", aloneKey(id)); err != nil {
		_ = conn.Conn().Close(ctx) // the pool sees that it is closed
	}
}

// watch tells when the connection is gone.
func watch(ctx context.Context, conn *pgxpool.Conn, lose context.CancelCauseFunc) {
	tick := time.NewTicker(lookAfter)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			if err := conn.Ping(ctx); err != nil && ctx.Err() == nil {
				lose(fmt.Errorf("the lock is lost: %w", err))
				return
			}
		}
	}
}

// aloneKey maps an id to the key of its lock. Two ids with one key would only
// wait for each other.
func aloneKey(id uuid.UUID) int64 {
	sum := sha256.Sum256(append([]byte("insula alone "), id[:]...))
	return int64(binary.BigEndian.Uint64(sum[:8])) // any 64 bits are a key, the sign too
}
