package domain_test

import (
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/insulahq/insula/modules/usage/domain"
)

func day(text string) time.Time {
	at, err := time.Parse(time.DateOnly, text)
	if err != nil {
		panic(err)
	}
	return at
}

func TestSpans(t *testing.T) {
	now := time.Date(2026, 3, 31, 23, 59, 0, 0, time.FixedZone("east", 3600)) // still the 31st in UTC
	for _, tc := range []struct {
		name           string
		from, to       time.Time
		wantFrom, want string
		err            error
	}{
		{"nothing said", time.Time{}, time.Time{}, "2026-03-02", "2026-03-31", nil},
		{"the end said", time.Time{}, day("2026-01-31"), "2026-01-02", "2026-01-31", nil},
		{"the beginning said", day("2026-03-30"), time.Time{}, "2026-03-30", "2026-03-31", nil},
		{"one day", day("2026-03-30"), day("2026-03-30"), "2026-03-30", "2026-03-30", nil},
		{"the most", day("2025-02-25"), day("2026-03-31"), "2025-02-25", "2026-03-31", nil},
		{"one more", day("2025-02-24"), day("2026-03-31"), "", "", domain.ErrSpan},
		{"backwards", day("2026-03-31"), day("2026-03-30"), "", "", domain.ErrSpan},
		{"from tomorrow", day("2026-04-01"), time.Time{}, "", "", domain.ErrSpan},
	} {
		t.Run(tc.name, func(t *testing.T) {
			s, err := domain.SpanOf(tc.from, tc.to, now)
			if !errors.Is(err, tc.err) {
				t.Fatalf("error %v, want %v", err, tc.err)
			}
			if err == nil && (!s.From.Equal(day(tc.wantFrom)) || !s.To.Equal(day(tc.want))) {
				t.Errorf("%v to %v, want %s to %s", s.From, s.To, tc.wantFrom, tc.want)
			}
		})
	}
}

func TestRequestsCountOnce(t *testing.T) {
	a, b := uuid.UUID{1}, uuid.UUID{2}
	night := time.Date(2026, 3, 31, 23, 59, 59, 0, time.UTC)
	tally := domain.NewTally()
	if !tally.Empty() {
		t.Error("a new tally is not empty")
	}
	for _, o := range []domain.Outcome{domain.Answered, domain.Limited, domain.Answered, domain.Failed, domain.Limited, domain.Answered} {
		tally.Count(b, night, o)
	}
	tally.Count(b, night.Add(time.Second), domain.Answered)
	tally.Count(a, night, domain.Answered)
	got := tally.Batch()
	want := domain.Batch{
		Tenants:  []uuid.UUID{a, b, b},
		Days:     []time.Time{day("2026-03-31"), day("2026-03-31"), day("2026-04-01")},
		Answered: []int64{1, 3, 1}, Limited: []int64{0, 2, 0}, Failed: []int64{0, 1, 0},
	}
	if !slices.Equal(got.Tenants, want.Tenants) || !slices.EqualFunc(got.Days, want.Days, time.Time.Equal) ||
		!slices.Equal(got.Answered, want.Answered) || !slices.Equal(got.Limited, want.Limited) || !slices.Equal(got.Failed, want.Failed) {
		t.Errorf("counted %+v, want %+v", got, want)
	}
}

// TestATallyIsBounded: there is room for many more tenants than one installation
// has; beyond it requests are missed, and those of tenants that are there are not.
func TestATallyIsBounded(t *testing.T) {
	tally := domain.NewTally()
	now := day("2026-03-31")
	for i := range 200_001 {
		tally.Count(uuid.UUID{byte(i >> 16), byte(i >> 8), byte(i)}, now, domain.Answered)
	}
	tally.Count(uuid.UUID{}, now, domain.Answered)
	if b := tally.Batch(); tally.Missed != 1 || len(b.Tenants) != 200_000 || b.Answered[0] != 2 {
		t.Errorf("%d missed, %d kept, %d of the first", tally.Missed, len(b.Tenants), b.Answered[0])
	}
}
