// Package queue runs background work on River, a job queue in PostgreSQL.
//
// Work is queued in the outbox of a tenant's schema, in the transaction of the
// change that asks for it. A relay hands it to River, whose tables stand in a
// schema of their own beside the control schema, and River runs it: at least
// once, again after a failure with growing pauses, on any process.
package queue

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/riverqueue/river"
	"github.com/riverqueue/river/riverdriver/riverpgxv5"
	"github.com/riverqueue/river/rivertype"

	"github.com/insulahq/insula/platform/jobs"
	"github.com/insulahq/insula/platform/pg"
	"github.com/insulahq/insula/platform/secret"
	"github.com/insulahq/insula/platform/telemetry"
	"github.com/insulahq/insula/platform/tenancy"
)

// Options are what a queue needs.
type Options struct {
	URL      secret.Value // the application's role
	Handlers []jobs.Handler
	Tenants  tenancy.Directory
	Outbox   *pg.Outbox
	// Served lists the tenants whose outboxes are swept for what a crash left.
	Served  func(ctx context.Context) ([]tenancy.Tenant, error)
	Metrics *telemetry.Metrics
	Log     *slog.Logger
}

const (
	conns           = 6 // of the queue itself; work takes its own from the application's pool
	workers         = 4
	defaultAttempts = 12
	defaultTimeout  = time.Minute
	rescueAfter     = 2 * time.Minute // work of a process that was killed is taken up again
	softStop        = 10 * time.Second
)

// Queue hands over and runs queued work.
type Queue struct {
	o        Options
	handlers map[string]jobs.Handler
	pool     *pgxpool.Pool
	client   *river.Client[pgx.Tx]
}

// task is a piece of work as River keeps it. River knows it by ID, so handing
// it over twice makes one piece.
type task struct {
	ID        uuid.UUID       `json:"id" river:"unique"`
	Tenant    uuid.UUID       `json:"tenant"`
	Operation string          `json:"operation"`
	Args      json.RawMessage `json:"args"`
}

// Kind implements river.JobArgs.
func (task) Kind() string { return "insula" }

// Open connects to the queue without starting it.
func Open(ctx context.Context, o Options) (*Queue, error) {
	cfg, err := pgxpool.ParseConfig(o.URL.Reveal())
	if err != nil {
		return nil, fmt.Errorf("queue URL: %w", err)
	}
	cfg.MaxConns = conns
	cfg.ConnConfig.RuntimeParams["application_name"] = "insula queue"
	q := &Queue{o: o, handlers: make(map[string]jobs.Handler, len(o.Handlers))}
	for _, h := range o.Handlers {
		q.handlers[h.Def.Name] = h
	}
	if q.pool, err = pgxpool.NewWithConfig(ctx, cfg); err != nil {
		return nil, fmt.Errorf("queue pool: %w", err)
	}
	registered := river.NewWorkers()
	river.AddWorker(registered, &worker{queue: q})
	q.client, err = river.NewClient(riverpgxv5.New(q.pool), &river.Config{
		Schema:               pg.QueueSchema,
		Queues:               map[string]river.QueueConfig{river.QueueDefault: {MaxWorkers: workers}},
		Workers:              registered,
		Logger:               slog.New(quiet{o.Log.Handler()}),
		JobTimeout:           defaultTimeout,
		RescueStuckJobsAfter: rescueAfter,
		SoftStopTimeout:      softStop,
	})
	if err != nil {
		q.pool.Close()
		return nil, fmt.Errorf("queue: %w", err)
	}
	return q, nil
}

// Close closes the queue's connections, after Run has returned.
func (q *Queue) Close() { q.pool.Close() }

// Run hands over and runs work until ctx ends, then lets running work finish
// for some seconds.
func (q *Queue) Run(ctx context.Context) error {
	if err := q.client.Start(context.WithoutCancel(ctx)); err != nil {
		return fmt.Errorf("start the queue: %w", err)
	}
	q.relay(ctx)
	stopping, cancel := context.WithTimeout(context.WithoutCancel(ctx), 2*softStop)
	defer cancel()
	return q.client.Stop(stopping)
}

// insert gives work to River.
func (q *Queue) insert(ctx context.Context, t tenancy.Tenant, work []pg.Work) error {
	params := make([]river.InsertManyParams, len(work))
	for i, w := range work {
		attempts := defaultAttempts
		if h, ok := q.handlers[w.Operation]; ok && h.Attempts > 0 {
			attempts = h.Attempts
		}
		params[i] = river.InsertManyParams{
			Args: task{ID: w.ID, Tenant: t.ID, Operation: w.Operation, Args: w.Args},
			InsertOpts: &river.InsertOpts{
				MaxAttempts: attempts, ScheduledAt: w.RunAt, Tags: nil,
				UniqueOpts: river.UniqueOpts{ByArgs: true},
			},
		}
	}
	_, err := q.client.InsertMany(ctx, params)
	return err
}

// worker runs tasks.
type worker struct {
	river.WorkerDefaults[task]
	queue *Queue
}

// Timeout implements river.Worker.
func (w *worker) Timeout(job *river.Job[task]) time.Duration {
	return w.queue.handlers[job.Args.Operation].Timeout // zero means the default
}

// Work implements river.Worker.
func (w *worker) Work(ctx context.Context, job *river.Job[task]) error {
	q, a := w.queue, job.Args
	ctx = telemetry.With(ctx, slog.String("job", a.Operation), slog.String("tenant_id", a.Tenant.String()), slog.Int("attempt", job.Attempt))
	h, ok := q.handlers[a.Operation]
	if !ok {
		return fmt.Errorf("no handler for %s: the binary that queued it was newer", a.Operation)
	}
	t, err := q.o.Tenants.ByID(ctx, a.Tenant)
	if errors.Is(err, tenancy.ErrUnknown) {
		return river.JobCancel(err) // the tenant is gone, and its work with it
	}
	if err != nil {
		return err
	}
	start := time.Now()
	err = h.Run(ctx, t, a.Args)
	q.o.Metrics.ObserveJob(a.Operation, time.Since(start), err != nil)
	if err == nil {
		return nil
	}
	level, last := slog.LevelWarn, job.Attempt >= job.MaxAttempts || jobs.IsHopeless(err)
	if last {
		level = slog.LevelError // nobody will try again
	}
	q.o.Log.Log(ctx, level, "job failed", "error", err, "last", last)
	if jobs.IsHopeless(err) {
		return river.JobCancel(err)
	}
	return err
}

var _ rivertype.JobArgs = task{}
