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

// ErrTaken is returned by Work.Do when another process is at the piece, or was
// until a moment ago: that is no failure, but the piece is looked at again soon.
var ErrTaken = errors.New("another process is at it")

// Work is one kind of background work.
type Work struct {
	Name string
	// Pending finds the pieces that somebody left unfinished.
	Pending func(ctx context.Context) ([]uuid.UUID, error)
	// Do finishes one piece. It must be safe to repeat.
	Do func(ctx context.Context, id uuid.UUID) error
	// Every is how often Pending is asked at least. It is asked sooner after it
	// got no answer itself, and after a piece failed: see again.
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
	failed  map[uuid.UUID]again
	news    chan struct{} // holds one when a piece has failed
}

type piece struct {
	done chan struct{}
	err  error
}

// NewWorker makes a worker. Run finds what is pending; Stop ends everything.
func NewWorker(w Work, log *slog.Logger) *Worker {
	ctx, cancel := context.WithCancel(context.Background())
	return &Worker{work: w, log: log, ctx: ctx, cancel: cancel, running: map[uuid.UUID]*piece{}, failed: map[uuid.UUID]again{}, news: make(chan struct{}, 1)}
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
	p := w.begin(id)
	go func() {
		<-p.done
		out <- p.err
	}()
	return out
}

// begin begins a piece unless it is under way. Its caller holds mu.
func (w *Worker) begin(id uuid.UUID) *piece {
	p, ok := w.running[id]
	if !ok {
		p = &piece{done: make(chan struct{})}
		w.running[id] = p
		w.group.Go(func() { w.run(id, p) })
	}
	return p
}

func (w *Worker) run(id uuid.UUID, p *piece) {
	start := time.Now()
	p.err = w.work.Do(w.ctx, id)
	failed := p.err != nil && !errors.Is(p.err, ErrTaken)
	if failed {
		w.log.ErrorContext(w.ctx, "job failed", "job", w.work.Name, "id", id.String(), "error", p.err)
	}
	if w.work.Observe != nil {
		w.work.Observe(w.work.Name, time.Since(start), failed)
	}
	w.mu.Lock()
	delete(w.running, id)
	w.note(id, p.err)
	w.mu.Unlock()
	close(p.done)
}

// Stop interrupts the running pieces and waits for them.
func (w *Worker) Stop() {
	w.mu.Lock()
	w.cancel()
	w.mu.Unlock()
	w.group.Wait()
}
