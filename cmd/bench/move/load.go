package main

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/google/uuid"

	"github.com/insulahq/insula/platform/pg"
	"github.com/insulahq/insula/platform/uow"
)

// load is what the tenant's users do: each change is a record of the trail and
// a count that goes up with it.
type load struct {
	house *house
	stop  context.CancelFunc
	all   sync.WaitGroup

	mu            sync.Mutex
	reads, writes int
	acknowledged  []uuid.UUID
	slowest       map[string]time.Duration // by what, since the last look
	failed        error
}

func (h *house) load(ctx context.Context, o options) *load {
	ctx, stop := context.WithCancel(ctx)
	l := &load{house: h, stop: stop, slowest: map[string]time.Duration{}}
	for range o.writers {
		l.all.Go(func() { l.until(ctx, "write", l.write) })
	}
	for range o.readers {
		l.all.Go(func() { l.until(ctx, "read", l.read) })
	}
	return l
}

func (l *load) until(ctx context.Context, what string, do func(ctx context.Context) error) {
	for ctx.Err() == nil {
		start := time.Now()
		err := do(context.WithoutCancel(ctx))
		took := time.Since(start)
		l.mu.Lock()
		l.slowest[what] = max(l.slowest[what], took)
		l.failed = errors.Join(l.failed, err)
		l.mu.Unlock()
		if err != nil {
			return
		}
	}
}

func (l *load) write(ctx context.Context) error {
	id := uuid.Must(uuid.NewV7())
	err := l.house.pool.Tenant(l.house.tenant).Write(ctx, func(tx uow.Tx) error {
		db := pg.DB(tx)
		if _, err := db.Exec(ctx, "UPDATE policy SET version = version + 1"); err != nil {
			return err
		}
		_, err := db.Exec(ctx, `INSERT INTO audit_events (id, at, operation, outcome, code, rule, actor_kind, actor_label, target_kind, target_id, target_label, request_id, address, client, xid)
			VALUES ($1, $2, 'bench.write', 'done', '', '', 'user', '', '', '', '', '', '', '', pg_current_xact_id()::text::bigint)`, id, time.Now())
		return err
	})
	if err != nil {
		return fmt.Errorf("a write: %w", err)
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.writes++
	l.acknowledged = append(l.acknowledged, id)
	return nil
}

func (l *load) read(ctx context.Context) error {
	err := l.house.pool.Tenant(l.house.tenant).Read(ctx, func(tx uow.Tx) error {
		var n int64
		return pg.DB(tx).QueryRow(ctx, "SELECT version FROM policy").Scan(&n)
	})
	if err != nil {
		return fmt.Errorf("a read: %w", err)
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.reads++
	return nil
}

// sinceLast is what happened since the last call.
func (l *load) sinceLast() (reads, writes int, slowestRead, slowestWrite time.Duration) {
	l.mu.Lock()
	defer l.mu.Unlock()
	reads, writes, slowestRead, slowestWrite = l.reads, l.writes, l.slowest["read"], l.slowest["write"]
	l.reads, l.writes = 0, 0
	clear(l.slowest)
	return reads, writes, slowestRead, slowestWrite
}

// end stops everybody and looks for every change that was acknowledged.
func (l *load) end(ctx context.Context) error {
	l.stop()
	l.all.Wait()
	if l.failed != nil {
		return l.failed
	}
	var found, counted, all int
	err := l.house.pool.Tenant(l.house.tenant).Read(ctx, func(tx uow.Tx) error {
		const sql = `SELECT count(*) FILTER (WHERE id = ANY ($1)), count(*), (SELECT version FROM policy) FROM audit_events WHERE operation = 'bench.write'`
		return pg.DB(tx).QueryRow(ctx, sql, l.acknowledged).Scan(&found, &all, &counted)
	})
	if err != nil {
		return err
	}
	fmt.Printf("%d changes were acknowledged, %d are there, %d in all, counted %d\n", len(l.acknowledged), found, all, counted)
	if found != len(l.acknowledged) || all != found || counted != found {
		return errors.New("something was lost, or done twice")
	}
	return nil
}
