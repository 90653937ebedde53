package jobs_test

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/uuid"

	"github.com/insulahq/insula/platform/jobs"
)

// looked runs a worker for a time and returns when, in seconds, do was called.
func looked(t *testing.T, run time.Duration, every time.Duration, pending func(at int) error, do func(at, time int) error) (asked, done []int) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		at := func() int { return int(time.Since(start).Seconds()) }
		w := jobs.NewWorker(jobs.Work{
			Name: "test", Every: every,
			Pending: func(context.Context) ([]uuid.UUID, error) {
				asked = append(asked, at())
				return []uuid.UUID{uuid.Max}, pending(at())
			},
			Do: func(context.Context, uuid.UUID) error {
				done = append(done, at())
				return do(at(), len(done))
			},
		}, slog.New(slog.DiscardHandler))
		ctx, cancel := context.WithTimeout(t.Context(), run)
		defer cancel()
		if err := w.Run(ctx); err != nil {
			t.Error(err)
		}
		w.Stop()
	})
	return asked, done
}

func TestWhatFailedIsTriedAgainSoon(t *testing.T) {
	never := func(int) error { return nil }
	for name, c := range map[string]struct {
		do   func(at, times int) error
		want []int
	}{
		"once":                   {func(_, times int) error { return when(times == 1, boom) }, []int{0, 1, 16, 31}},
		"always":                 {func(int, int) error { return boom }, []int{0, 1, 3, 7, 15, 30}},
		"another process has it": {func(_, times int) error { return when(times <= 2, fmt.Errorf("piece: %w", jobs.ErrTaken)) }, []int{0, 1, 3, 18, 33}},
		"now and then":           {func(_, times int) error { return when(times%2 == 1, boom) }, []int{0, 1, 16, 17, 32, 33}},
	} {
		t.Run(name, func(t *testing.T) {
			if _, done := looked(t, 40*time.Second, 15*time.Second, never, c.do); !slices.Equal(done, c.want) {
				t.Errorf("it was tried after %v seconds, want %v", done, c.want)
			}
		})
	}
}

func TestTheFirstAnswerAfterAnOutage(t *testing.T) {
	fine := func(int, int) error { return nil }
	asked, done := looked(t, 40*time.Second, 15*time.Second, func(at int) error { return when(at > 10 && at < 25, boom) }, fine)
	if want := []int{0, 15, 16, 18, 22, 26}; !slices.Equal(asked, want) {
		t.Errorf("it was asked after %v seconds, want %v", asked, want)
	}
	if want := []int{0, 26}; !slices.Equal(done, want) {
		t.Errorf("it was done after %v seconds, want %v", done, want)
	}
}

// TestAFailureBesideTheWorkersLooks: what a request has begun, and is pending.
func TestAFailureBesideTheWorkersLooks(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var pending []uuid.UUID
		times := 0
		w := jobs.NewWorker(jobs.Work{
			Name: "test", Every: time.Hour,
			Pending: func(context.Context) ([]uuid.UUID, error) { return pending, nil },
			Do: func(context.Context, uuid.UUID) error {
				times++
				return when(times == 1, boom)
			},
		}, slog.New(slog.DiscardHandler))
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
		defer cancel()
		time.AfterFunc(5*time.Second, func() {
			pending = []uuid.UUID{uuid.Max}
			w.Start(uuid.Max)
		})
		if err := w.Run(ctx); err != nil {
			t.Error(err)
		}
		w.Stop()
		if times != 2 {
			t.Errorf("it was tried %d times", times)
		}
	})
}

func when(is bool, err error) error {
	if is {
		return err
	}
	return nil
}
