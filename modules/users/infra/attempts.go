package infra

import (
	"context"
	"time"

	"github.com/insulahq/insula/modules/users/domain"
	"github.com/insulahq/insula/modules/users/infra/internal/usersdb"
	"github.com/insulahq/insula/platform/pg"
	"github.com/insulahq/insula/platform/uow"
)

// Attempts implements domain.Attempts.
type Attempts struct{ q *usersdb.Queries }

// NewAttempts makes the repository.
func NewAttempts() *Attempts { return &Attempts{q: usersdb.New()} }

// Blocked implements domain.Attempts.
func (r *Attempts) Blocked(ctx context.Context, tx uow.Tx, now time.Time, subjects ...domain.Subject) (time.Time, error) {
	rows, err := r.q.FailuresOf(ctx, pg.DB(tx), digests(subjects))
	if err != nil {
		return time.Time{}, pg.Translate(err, nil, nil)
	}
	var until time.Time
	for _, row := range rows {
		if row.BlockedUntil.After(now) && row.BlockedUntil.After(until) {
			until = row.BlockedUntil
		}
	}
	return until, nil
}

// Failed implements domain.Attempts. It also drops some of what nobody needs
// any more, so that the table does not grow with every address that is tried.
func (r *Attempts) Failed(ctx context.Context, tx uow.Tx, now time.Time, subjects ...domain.Subject) error {
	forget := now.Add(-domain.FailureMemory)
	for _, s := range subjects {
		n, err := r.q.CountFailure(ctx, pg.DB(tx), s.Digest(), now, forget)
		if err != nil {
			return pg.Translate(err, nil, nil)
		}
		if delay := s.Delay(int(n)); delay > 0 {
			if err := r.q.BlockSubject(ctx, pg.DB(tx), now.Add(delay), s.Digest()); err != nil {
				return pg.Translate(err, nil, nil)
			}
		}
	}
	return pg.Translate(r.q.PurgeFailures(ctx, pg.DB(tx), forget), nil, nil)
}

// Forget implements domain.Attempts.
func (r *Attempts) Forget(ctx context.Context, tx uow.Tx, subjects ...domain.Subject) error {
	return pg.Translate(r.q.ForgetFailures(ctx, pg.DB(tx), digests(subjects)), nil, nil)
}

func digests(subjects []domain.Subject) [][]byte {
	all := make([][]byte, len(subjects))
	for i, s := range subjects {
		all[i] = s.Digest()
	}
	return all
}
