// Package jobs runs resumable background work: pieces that are named by an
// id, found again after a crash, and never worked on twice at once in one
// process. Between processes the piece itself takes a lock.
package jobs

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"time"

	"github.com/google/uuid"
)

// ErrStopped ends the waiting of those who started work on a worker that has
// been stopped. The work is found again at the next start.
var ErrStopped = errors.New("the worker has stopped")

// Work is one kind of background work.
type Work struct {
	Name string
	// Pending finds the pieces that somebody left unfinished.
	Pending func(ctx context.Context) ([]uuid.UUID, error)
	// Do finishes one piece. It must be safe to repeat.
	Do func(ctx context.Context, id uuid.UUID) error
	// Every is how often Pending is asked.
	Every time.Duration
	// Observe is told how each piece went; nil is fine.
	Observe func(job string, took time.Duration, failed bool)
}

// Worker runs one kind of work.
type Worker struct {
	work    Work
	log     *slog.Logger
	ctx     context.Context // ends with the worker: pieces outlive the request that started them
	cancel  context.CancelFunc
	group   sync.WaitGroup
	mu      sync.Mutex
	running map[uuid.UUID]*piece
}

type piece struct {
	done chan struct{}
	err  error
}

// NewWorker makes a worker. Run finds what is pending; Stop ends everything.
func NewWorker(w Work, log *slog.Logger) *Worker {
	ctx, cancel := context.WithCancel(context.Background())
	return &Worker{work: w, log: log, ctx: ctx, cancel: cancel, running: map[uuid.UUID]*piece{}}
}

// Start begins a piece, or joins it when it is under way, and returns a
// channel that yields how it ended.
func (w *Worker) Start(id uuid.UUID) <-chan error {
	out := make(chan error, 1)
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.ctx.Err() != nil {
		out <- ErrStopped
		return out
	}
	p, ok := w.running[id]
	if !ok {
		p = &piece{done: make(chan struct{})}
		w.running[id] = p
		w.group.Go(func() { w.run(id, p) })
	}
	go func() {
		<-p.done
		out <- p.err
	}()
	return out
}

func (w *Worker) run(id uuid.UUID, p *piece) {
	start := time.Now()
	p.err = w.work.Do(w.ctx, id)
	if p.err != nil {
		w.log.ErrorContext(w.ctx, "job failed", "job", w.work.Name, "id", id.String(), "error", p.err)
	}
	if w.work.Observe != nil {
		w.work.Observe(w.work.Name, time.Since(start), p.err != nil)
	}
	w.mu.Lock()
	delete(w.running, id)
	w.mu.Unlock()
	close(p.done)
}

// Run takes up what is pending, at once and then regularly, until ctx ends.
func (w *Worker) Run(ctx context.Context) error {
	ticker := time.NewTicker(w.work.Every)
	defer ticker.Stop()
	for {
		ids, err := w.work.Pending(ctx)
		if err != nil && ctx.Err() == nil {
			w.log.ErrorContext(ctx, "pending jobs", "job", w.work.Name, "error", err)
		}
		for _, id := range ids {
			w.Start(id)
		}
		select {
		case <-ctx.Done():
			return nil
		case <-ticker.C:
		}
	}
}

// Stop interrupts the running pieces and waits for them.
func (w *Worker) Stop() {
	w.mu.Lock()
	w.cancel()
	w.mu.Unlock()
	w.group.Wait()
}
