package jobs

import (
	"context"
	"slices"
	"time"

	"github.com/google/uuid"
)

// again is when something that failed is tried once more: after a second at
// first, then after twice as long each time, and at last as rarely as the
// worker looks anyway. So what a database that was away for a moment has
// interrupted goes on at once, and what cannot be done costs little.
type again struct {
	pause time.Duration // that ends at
	at    time.Time
}

// firstPause is how long after its first failure something is tried again.
const firstPause = time.Second

func (a again) after(now time.Time, longest time.Duration) again {
	pause := min(max(2*a.pause, firstPause), longest)
	return again{pause, now.Add(pause)}
}

// longestAway bounds the pause between questions that get no answer: asking is
// cheap, and until there is an answer all pieces wait.
const longestAway = 4 * time.Second

// Run takes up what is pending, at once and then regularly, until ctx ends.
func (w *Worker) Run(ctx context.Context) error {
	var away again
	for {
		ids, err := w.work.Pending(ctx)
		next := time.Now().Add(w.work.Every)
		if err == nil {
			away = again{}
			w.takeUp(ids)
		} else {
			if away.pause == 0 && ctx.Err() == nil { // it says nothing new until there is an answer
				w.log.ErrorContext(ctx, "pending jobs", "job", w.work.Name, "error", err)
			}
			away = away.after(time.Now(), min(longestAway, w.work.Every))
			next = away.at
		}
		if !w.rest(ctx, next, err == nil) {
			return nil
		}
	}
}

// takeUp begins the pieces that are due, and forgets failures of those that
// are not pending any more.
func (w *Worker) takeUp(ids []uuid.UUID) {
	w.mu.Lock()
	defer w.mu.Unlock()
	now := time.Now()
	for _, id := range ids {
		if w.ctx.Err() == nil && !w.failed[id].at.After(now) {
			w.begin(id)
		}
	}
	for id := range w.failed {
		if !slices.Contains(ids, id) {
			delete(w.failed, id)
		}
	}
}

// note remembers how a piece ended. Its caller holds mu.
func (w *Worker) note(id uuid.UUID, err error) {
	if err == nil {
		delete(w.failed, id)
		return
	}
	w.failed[id] = w.failed[id].after(time.Now(), w.work.Every)
	select {
	case w.news <- struct{}{}:
	default: // there are news already
	}
}

// rest waits for the next look, which comes sooner when a piece that failed is
// due before; it reports whether there is to be one.
func (w *Worker) rest(ctx context.Context, next time.Time, pieces bool) bool {
	for {
		timer := time.NewTimer(time.Until(w.due(next, pieces)))
		select {
		case <-ctx.Done():
			timer.Stop()
			return false
		case <-w.ctx.Done(): // it begins nothing any more
			timer.Stop()
			return false
		case <-timer.C:
			return true
		case <-w.news:
			timer.Stop()
		}
	}
}

// due is when to look again: at next, or before for a piece that failed.
func (w *Worker) due(next time.Time, pieces bool) time.Time {
	if !pieces { // they cannot go on before there is an answer
		return next
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	for id, a := range w.failed {
		if _, running := w.running[id]; !running && a.at.Before(next) {
			next = a.at
		}
	}
	return next
}
