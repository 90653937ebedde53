package domain

import (
	"bytes"
	"context"
	"slices"
	"time"

	"github.com/google/uuid"

	"github.com/insulahq/insula/modules/usage"
)

// Requests keeps how many requests tenants have sent.
type Requests interface {
	// Days lists the days of a span on which there were some, as far as
	// processes have told of them.
	Days(ctx context.Context, tenant uuid.UUID, s Span) ([]usage.Day, error)
}

// Outcome is how a request went.
type Outcome uint8

// The outcomes, as usage.Day explains them.
const (
	Answered Outcome = iota
	Limited
	Failed
)

// mostCounted bounds what a process counts for at once: tenants, times days.
const mostCounted = 200_000

// Tally is what was counted for each tenant on each day, in memory. It is not
// safe for concurrent use.
type Tally struct {
	days   map[tenantDay]*usage.Day
	Missed int64 // requests that found no room
}

type tenantDay struct {
	tenant uuid.UUID
	day    time.Time
}

// NewTally makes an empty one.
func NewTally() *Tally { return &Tally{days: map[tenantDay]*usage.Day{}} }

// Empty reports whether nothing was counted.
func (t *Tally) Empty() bool { return len(t.days) == 0 }

// Count counts a request.
func (t *Tally) Count(tenant uuid.UUID, at time.Time, o Outcome) {
	key := tenantDay{tenant, DayOf(at)}
	d, ok := t.days[key]
	if !ok {
		if len(t.days) >= mostCounted {
			t.Missed++
			return
		}
		d = &usage.Day{Day: key.day}
		t.days[key] = d
	}
	switch o {
	case Answered:
		d.Answered++
	case Limited:
		d.Limited++
	case Failed:
		d.Failed++
	}
}

// Batch is a tally on its way, column by column, in the order of tenants and
// days.
type Batch struct {
	Tenants                   []uuid.UUID
	Days                      []time.Time
	Answered, Limited, Failed []int64
}

// Batch lists what was counted.
func (t *Tally) Batch() Batch {
	keys := make([]tenantDay, 0, len(t.days))
	for key := range t.days {
		keys = append(keys, key)
	}
	slices.SortFunc(keys, func(a, b tenantDay) int {
		if c := bytes.Compare(a.tenant[:], b.tenant[:]); c != 0 {
			return c
		}
		return a.day.Compare(b.day)
	})
	var b Batch
	for _, key := range keys {
		d := t.days[key]
		b.Tenants, b.Days = append(b.Tenants, key.tenant), append(b.Days, key.day)
		b.Answered, b.Limited, b.Failed = append(b.Answered, d.Answered), append(b.Limited, d.Limited), append(b.Failed, d.Failed)
	}
	return b
}
