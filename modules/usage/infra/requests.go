// Package infra keeps what the usage module counts.
package infra

import (
	"context"
	"log/slog"
	"net/http"
	"sync"
	"time"

	"github.com/google/uuid"

	"github.com/insulahq/insula/modules/usage"
	"github.com/insulahq/insula/modules/usage/domain"
	"github.com/insulahq/insula/modules/usage/infra/internal/usagedb"
	"github.com/insulahq/insula/platform/clock"
	"github.com/insulahq/insula/platform/pg"
	"github.com/insulahq/insula/platform/uow"
)

const (
	// flushTimeout bounds how long a batch may be on its way.
	flushTimeout = 10 * time.Second
	// expireEvery is how often days past their retention are removed.
	expireEvery = time.Hour
	// batchesFor is how long it is known which batch of a process was the last:
	// far longer than one is sent again.
	batchesFor = 24 * time.Hour
)

// Control opens units of work for the control schema.
type Control func() pg.ControlUnit

// Requests counts the requests of all tenants in memory and adds the numbers to
// those of other processes, some seconds at a time. It implements
// domain.Requests.
type Requests struct {
	control   Control
	q         *usagedb.Queries
	process   uuid.UUID
	every     time.Duration
	retention time.Duration
	clock     clock.Clock
	log       *slog.Logger

	mu    sync.Mutex
	tally *domain.Tally

	sending sync.Mutex // held while a batch is on its way
	batch   *batch     // that was sent and not yet heard of
	last    int64
}

// batch is what is sent until it is known to have arrived.
type batch struct {
	domain.Batch
	number int64
}

// Counting says how requests are counted.
type Counting struct {
	Every     time.Duration // between two batches
	Retention time.Duration // of a day
}

// NewRequests makes the counter of a process, whose id no other process has.
func NewRequests(control Control, process uuid.UUID, c Counting, now clock.Clock, log *slog.Logger) *Requests {
	return &Requests{
		control: control, q: usagedb.New(), process: process, every: c.Every, retention: c.Retention, clock: now, log: log,
		tally: domain.NewTally(),
	}
}

// Count counts a request of a tenant by the status of its answer.
func (r *Requests) Count(tenant uuid.UUID, status int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.tally.Count(tenant, r.clock.Now(), outcomeOf(status))
}

func outcomeOf(status int) domain.Outcome {
	switch {
	case status == http.StatusTooManyRequests:
		return domain.Limited
	case status >= http.StatusInternalServerError:
		return domain.Failed
	}
	return domain.Answered
}

// Days implements domain.Requests.
func (r *Requests) Days(ctx context.Context, tenant uuid.UUID, s domain.Span) ([]usage.Day, error) {
	var days []usage.Day
	err := r.control().Read(ctx, func(tx uow.Tx) error {
		rows, err := r.q.RequestDays(ctx, pg.DB(tx), tenant, s.From, s.To)
		for _, row := range rows {
			days = append(days, usage.Day{Day: row.Day.UTC(), Answered: row.Answered, Limited: row.Limited, Failed: row.Failed})
		}
		return pg.Translate(err, nil, nil)
	})
	return days, err
}

// Flush stores what was counted. After an error nothing is lost: it is sent
// again, under the number that it had, so that it is added once even if it had
// arrived and only the answer was lost.
func (r *Requests) Flush(ctx context.Context) error {
	r.sending.Lock()
	defer r.sending.Unlock()
	for {
		if r.batch == nil {
			if r.batch = r.next(ctx); r.batch == nil {
				return nil
			}
		}
		if err := r.send(ctx, *r.batch); err != nil {
			return err
		}
		r.batch = nil
	}
}

// next takes what was counted since the last batch; nil for nothing.
func (r *Requests) next(ctx context.Context) *batch {
	r.mu.Lock()
	taken := r.tally
	if !taken.Empty() {
		r.tally = domain.NewTally()
	}
	r.mu.Unlock()
	if taken.Empty() {
		return nil
	}
	if taken.Missed > 0 {
		r.log.ErrorContext(ctx, "requests not counted, of more tenants than there is room for", "requests", taken.Missed)
	}
	r.last++
	return &batch{Batch: taken.Batch(), number: r.last}
}

func (r *Requests) send(ctx context.Context, b batch) error {
	ctx, cancel := context.WithTimeout(ctx, flushTimeout)
	defer cancel()
	return r.control().Write(ctx, func(tx uow.Tx) error {
		_, err := r.q.AddRequests(ctx, pg.DB(tx), usagedb.AddRequestsParams{
			Process: r.process, Batch: b.number, SentAt: r.clock.Now(),
			Tenants: b.Tenants, Days: b.Days, Answered: b.Answered, Limited: b.Limited, Failed: b.Failed,
		})
		return pg.Translate(err, nil, nil)
	})
}

// Expire removes days past their retention.
func (r *Requests) Expire(ctx context.Context) error {
	now := r.clock.Now()
	return r.control().Write(ctx, func(tx uow.Tx) error {
		if _, err := r.q.ExpireDays(ctx, pg.DB(tx), domain.DayOf(now.Add(-r.retention))); err != nil {
			return pg.Translate(err, nil, nil)
		}
		_, err := r.q.ExpireBatches(ctx, pg.DB(tx), now.Add(-batchesFor))
		return pg.Translate(err, nil, nil)
	})
}

// Run stores what is counted, regularly, until ctx ends; Close stores the rest.
func (r *Requests) Run(ctx context.Context) error {
	flush, expire := time.NewTicker(r.every), time.NewTicker(expireEvery)
	defer flush.Stop()
	defer expire.Stop()
	r.note(ctx, "old counts of requests stay", r.Expire(ctx))
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-flush.C:
			r.note(ctx, "counts of requests wait to be stored", r.Flush(ctx))
		case <-expire.C:
			r.note(ctx, "old counts of requests stay", r.Expire(ctx))
		}
	}
}

func (r *Requests) note(ctx context.Context, what string, err error) {
	if err != nil && ctx.Err() == nil {
		r.log.WarnContext(ctx, what, "error", err)
	}
}

// Close stores what has been counted. It comes after the last request.
func (r *Requests) Close() {
	ctx := context.Background()
	if err := r.Flush(ctx); err != nil {
		r.log.ErrorContext(ctx, "counts of requests lost", "error", err)
	}
}
