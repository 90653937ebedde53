package service

import (
	"context"
	"time"

	"github.com/insulahq/insula/modules/audit"
	"github.com/insulahq/insula/modules/audit/domain"
	"github.com/insulahq/insula/platform/clock"
	"github.com/insulahq/insula/platform/op"
	"github.com/insulahq/insula/platform/tenancy"
	"github.com/insulahq/insula/platform/uow"
)

// Age and Expire are the two steps of retention.
var (
	Age    = op.Job("audit.age", "Find out whether a trail has records that are older than the tenant keeps them.", op.About("audit_trail"), op.Reading)
	Expire = op.Job("audit.expire", "Remove records of the trail that are older than the tenant keeps them.", op.About("audit_trail"))
)

// minKept protects a trail from a retention that was meant otherwise.
const minKept = 24 * time.Hour

// removedAtOnce bounds the records that one transaction removes.
const removedAtOnce = 5000

// Retention removes what tenants do not keep any longer: sealed records, the
// oldest first, a batch at a time. The hashes stay, so that heads and proofs
// of the records after them hold. Each batch leaves a record of its own, in
// the same transaction, with the edge of the tree that was removed.
type Retention struct {
	jobs     *op.Jobs
	tree     domain.Tree
	policies audit.Policies
	clock    clock.Clock
}

// NewRetention makes the service of a process.
func NewRetention(jobs *op.Jobs, tree domain.Tree, p audit.Policies, c clock.Clock) *Retention {
	return &Retention{jobs: jobs, tree: tree, policies: p, clock: c}
}

// before is the instant before which records are not kept; removes is false
// when all are.
func (s *Retention) before(ctx context.Context, t tenancy.Tenant) (instant time.Time, removes bool, err error) {
	p, err := s.policies.PolicyOf(ctx, t)
	if err != nil || p.Hold || p.Keep <= 0 {
		return time.Time{}, false, err
	}
	return s.clock.Now().Add(-max(p.Keep, minKept)), true, nil
}

// Due reports whether a tenant has records to remove.
func (s *Retention) Due(ctx context.Context, t tenancy.Tenant) (bool, error) {
	before, removes, err := s.before(ctx, t)
	if err != nil || !removes {
		return false, err
	}
	return op.Do(ctx, s.jobs.Runner(t, Age), Age.On(t.ID.String()), func(tx uow.Tx) (bool, error) {
		old, err := s.oldest(ctx, tx, before, 1)
		return len(old) > 0, err
	})
}

// Expire removes one batch and returns how many records it was.
func (s *Retention) Expire(ctx context.Context, t tenancy.Tenant) (int, error) {
	before, removes, err := s.before(ctx, t)
	if err != nil || !removes {
		return 0, err
	}
	return op.Do(ctx, s.jobs.Runner(t, Expire), Expire.On(t.ID.String()), func(tx uow.Tx) (int, error) {
		tx.Trail().On(Expire.Kind, t.ID.String(), t.Slug)
		old, err := s.oldest(ctx, tx, before, removedAtOnce)
		if err != nil || len(old) == 0 {
			return 0, err
		}
		end := old[len(old)-1].Number + 1
		edge, err := s.tree.Hashes(ctx, tx, domain.EdgePositions(end))
		if err != nil {
			return 0, err
		}
		if err := s.tree.Remove(ctx, tx, old); err != nil {
			return 0, err
		}
		tx.Trail().Changed(nil, domain.Removal{
			Records: int64(len(old)), RemovedBefore: end, OlderThan: before, Edge: domain.Pack(edge),
		})
		return len(old), nil
	})
}

// oldest are the first records of the tree, as far as they are older than an
// instant without one in between that is not.
func (s *Retention) oldest(ctx context.Context, tx uow.Tx, before time.Time, limit int64) ([]domain.Numbered, error) {
	first, err := s.tree.FirstNumber(ctx, tx)
	if err != nil || first == nil {
		return nil, err
	}
	records, err := s.tree.Sealed(ctx, tx, *first, *first+limit)
	if err != nil {
		return nil, err
	}
	for i, r := range records {
		if r.Number != *first+int64(i) || !r.At.Before(before) {
			return records[:i], nil
		}
	}
	return records, nil
}
