// Package domain holds the rules of the usage module.
package domain

import (
	"time"

	"github.com/insulahq/insula/platform/errs"
)

// ErrSpan is returned for days that cannot be asked for.
var ErrSpan = errs.New(errs.Invalid, "usage.span", "These days cannot be asked for.")

const (
	day = 24 * time.Hour
	// usual is how many days are shown when nobody says which.
	usual = 30
	// Longest is how many days may be asked for at once.
	Longest = 400
)

// DayOf is the beginning of the day of an instant, in UTC.
func DayOf(at time.Time) time.Time { return at.UTC().Truncate(day) }

// Span is some days in a row.
type Span struct{ From, To time.Time } // the beginnings of the first and the last

// SpanOf makes a span; a zero time stands for today, or for as many days before
// the end as are usual.
func SpanOf(from, to, now time.Time) (Span, error) {
	s := Span{From: DayOf(from), To: DayOf(to)}
	if to.IsZero() {
		s.To = DayOf(now)
	}
	if from.IsZero() {
		s.From = s.To.Add(-(usual - 1) * day)
	}
	switch days := s.To.Sub(s.From)/day + 1; {
	case days < 1:
		return Span{}, ErrSpan.At("#/from", "must not be after the last day")
	case days > Longest:
		return Span{}, ErrSpan.At("#/from", "must not be more than 400 days before the last one")
	}
	return s, nil
}
