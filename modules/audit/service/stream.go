package service

import (
	"context"

	"github.com/insulahq/insula/modules/audit/domain"
	"github.com/insulahq/insula/modules/users"
	"github.com/insulahq/insula/platform/op"
	"github.com/insulahq/insula/platform/scope"
	"github.com/insulahq/insula/platform/tenancy"
	"github.com/insulahq/insula/platform/uow"
)

// Stream and Follow are the two sides of watching a trail: that of one viewer,
// and that of the process, which reads for all of them.
var (
	Stream = op.Read("audit.stream", "Watch the audit trail as it grows.", op.Recorded, op.Long, op.About("audit_trail"))
	Follow = op.Job("audit.follow", "Read new records of a trail for those who watch it.", op.About("audit_trail"), op.Reading,
		op.Quiet("each viewer leaves a record"))
)

// comeAgain is after how many signs of life a viewer has to come again, and is
// asked anew who it is: about ten minutes, as long as a token lasts. Until then
// nobody looks whether its session is over.
const comeAgain = 40

// followedAtOnce is how many records a step of watching reads at most.
const followedAtOnce = 200

// Following reads new records for the viewers of a process.
type Following struct {
	jobs *op.Jobs
	tree domain.Tree
}

// NewFollowing makes the service of a process.
func NewFollowing(jobs *op.Jobs, tree domain.Tree) *Following {
	return &Following{jobs: jobs, tree: tree}
}

// Next are the records behind a mark; nil finds where the trail ends now.
func (s *Following) Next(ctx context.Context, t tenancy.Tenant, after *domain.Mark) (records []domain.Written, end domain.Mark, err error) {
	records, err = op.Do(ctx, s.jobs.Runner(t, Follow), Follow.On(t.ID.String()), func(tx uow.Tx) ([]domain.Written, error) {
		if after == nil {
			end, err = s.tree.Newest(ctx, tx)
			return nil, err
		}
		found, err := s.tree.After(ctx, tx, *after, followedAtOnce)
		if end = *after; len(found) > 0 {
			end = found[len(found)-1].Mark()
		}
		return found, err
	})
	return records, end, err
}

// Tails lets viewers of one process share what is read of a trail.
type Tails interface {
	// Watch yields new records of a tenant, now and then none as a sign of life,
	// until stop is called, the process ends or the viewer falls behind; then
	// the channel is closed.
	Watch(ctx context.Context, t tenancy.Tenant) (news <-chan []domain.Written, stop func())
}

// Viewing runs the operation of one viewer.
type Viewing struct {
	run     *op.Runner
	scope   scope.Request
	tree    domain.Tree
	tails   Tails
	tickets users.Tickets
}

// NewViewing makes the service of one request.
func NewViewing(run *op.Runner, r scope.Request, tree domain.Tree, tails Tails, tickets users.Tickets) *Viewing {
	return &Viewing{run: run, scope: r, tree: tree, tails: tails, tickets: tickets}
}

// Watch hands new records to send in the order in which they are sealed, and
// now and then none as a sign of life. It begins behind a mark, or with what
// comes next, and ends when send fails or the viewer has to come again.
// Records come once they can not be overtaken any more, so that whoever comes
// again with the last mark misses none and gets none twice.
func (s *Viewing) Watch(ctx context.Context, after *domain.Mark, send func([]domain.Written) error) error {
	_, err := op.Do(ctx, s.run, Stream.On(s.scope.Tenant.ID.String()), func(tx uow.Tx) (struct{}, error) {
		news, stop := s.tails.Watch(ctx, s.scope.Tenant)
		defer stop()
		at, err := s.begin(ctx, tx, after, send)
		if err != nil {
			return struct{}{}, err
		}
		for signs := 0; signs < comeAgain; {
			select {
			case <-ctx.Done(): // the viewer has left, which is no failure
				return struct{}{}, nil
			case records, open := <-news:
				if !open {
					return struct{}{}, nil
				}
				if len(records) == 0 {
					signs++
				}
				if at, err = pour(records, at, send); err != nil {
					return struct{}{}, err
				}
			}
		}
		return struct{}{}, nil
	})
	return err
}

// begin sends what came since the mark.
func (s *Viewing) begin(ctx context.Context, tx uow.Tx, after *domain.Mark, send func([]domain.Written) error) (domain.Mark, error) {
	if after == nil {
		at, err := s.tree.Newest(ctx, tx)
		if err != nil {
			return at, err
		}
		return at, send(nil)
	}
	at := *after
	for {
		records, err := s.tree.After(ctx, tx, at, followedAtOnce)
		if err != nil {
			return at, err
		}
		if at, err = pour(records, at, send); err != nil || len(records) < followedAtOnce {
			return at, err
		}
	}
}

// pour sends the records that come after a place, and says where it is then.
func pour(records []domain.Written, at domain.Mark, send func([]domain.Written) error) (domain.Mark, error) {
	for len(records) > 0 && !at.Before(records[0].Mark()) {
		records = records[1:]
	}
	if len(records) > 0 {
		at = records[len(records)-1].Mark()
	}
	return at, send(records)
}
