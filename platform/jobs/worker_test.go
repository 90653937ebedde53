package jobs_test

import (
	"context"
	"errors"
	"log/slog"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/uuid"
	"go.uber.org/goleak"

	"github.com/insulahq/insula/platform/jobs"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var boom = errors.New("boom")

func worker(do func(context.Context, uuid.UUID) error, pending ...uuid.UUID) *jobs.Worker {
	return jobs.NewWorker(jobs.Work{
		Name: "test", Do: do, Every: time.Hour,
		Pending: func(context.Context) ([]uuid.UUID, error) { return pending, nil },
	}, slog.New(slog.DiscardHandler))
}

func TestJoiningWorkUnderWay(t *testing.T) {
	var times atomic.Int32
	release := make(chan struct{})
	w := worker(func(context.Context, uuid.UUID) error {
		times.Add(1)
		<-release
		return boom
	})
	defer w.Stop()
	a, b := w.Start(uuid.Max), w.Start(uuid.Max)
	close(release)
	if err := <-a; !errors.Is(err, boom) {
		t.Error(err)
	}
	if err := <-b; !errors.Is(err, boom) {
		t.Error(err)
	}
	if times.Load() != 1 {
		t.Errorf("one piece was worked on %d times at once", times.Load())
	}
	if err := <-w.Start(uuid.Max); !errors.Is(err, boom) || times.Load() != 2 {
		t.Errorf("a failed piece can be tried again: %v, %d", err, times.Load())
	}
}

func TestPendingWorkIsTakenUp(t *testing.T) {
	done := make(chan uuid.UUID, 2)
	w := worker(func(_ context.Context, id uuid.UUID) error {
		done <- id
		return nil
	}, uuid.Max, uuid.UUID{15: 1})
	defer w.Stop()
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- w.Run(ctx) }()
	<-done
	<-done
	cancel()
	if err := <-ended; err != nil {
		t.Error(err)
	}
}

func TestStopInterruptsAndWaits(t *testing.T) {
	entered, left := make(chan struct{}), false
	w := worker(func(ctx context.Context, _ uuid.UUID) error {
		close(entered)
		<-ctx.Done()
		left = true
		return ctx.Err()
	})
	end := w.Start(uuid.Max)
	<-entered
	w.Stop()
	if !left {
		t.Error("Stop did not wait")
	}
	if err := <-end; !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	if err := <-w.Start(uuid.Max); !errors.Is(err, jobs.ErrStopped) {
		t.Errorf("started on a stopped worker: %v", err)
	}
}
