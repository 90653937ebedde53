package service

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"slices"
	"time"

	"github.com/google/uuid"

	"github.com/insulahq/insula/modules/audit"
	"github.com/insulahq/insula/modules/audit/domain"
	"github.com/insulahq/insula/platform/clock"
	"github.com/insulahq/insula/platform/op"
	"github.com/insulahq/insula/platform/tenancy"
	"github.com/insulahq/insula/platform/uow"
)

// Seal and Publish make the evidence of a trail.
var (
	Seal = op.Job("audit.seal", "Seal new records of the trail into its tree.", op.About("audit_trail"), op.Lasting,
		op.Quiet("the signed head that it makes is its record"))
	Publish = op.Job("audit.publish", "Keep signed heads of the trail outside the database.", op.About("audit_trail"), op.Lasting, op.Reading,
		op.Quiet("the heads that it keeps are its record"))
)

// When says when it is time to seal.
type When bool

// Whatever there is can be sealed now, or once a record has waited for as long
// as the tenant wants it.
const (
	Now When = false
	Due When = true
)

// Sealing makes the evidence of the trails of all tenants. It is safe to
// repeat at every step, and to run in several processes at once.
type Sealing struct {
	jobs      *op.Jobs
	tree      domain.Tree
	published domain.Published
	keys      domain.HeadKeys
	policies  audit.Policies
	clock     clock.Clock
	log       *slog.Logger
	sealed    func(records int64, delay time.Duration)
}

// NewSealing makes the service of a process. sealed is told of each batch, and
// how old its oldest record was.
func NewSealing(jobs *op.Jobs, tree domain.Tree, p domain.Published, keys domain.HeadKeys, policies audit.Policies, c clock.Clock, log *slog.Logger,
	sealed func(records int64, delay time.Duration),
) *Sealing {
	return &Sealing{jobs: jobs, tree: tree, published: p, keys: keys, policies: policies, clock: c, log: log, sealed: sealed}
}

// Progress says what one step of sealing did.
type Progress struct {
	Sealed  int64 // records that became part of the tree
	Waiting bool  // there are records that could not be sealed yet
}

// Seal seals one batch of a tenant's records, and nothing when none is settled,
// it is not due, or another process is at it.
func (s *Sealing) Seal(ctx context.Context, t tenancy.Tenant, when When) (Progress, error) {
	key, err := s.keys.Of(t.ID)
	if err != nil {
		return Progress{}, err
	}
	policy, err := s.policies.PolicyOf(ctx, t)
	if err != nil {
		return Progress{}, err
	}
	return op.Do(ctx, s.jobs.Runner(t, Seal), Seal.On(t.ID.String()), func(tx uow.Tx) (Progress, error) {
		last, err := s.tree.Last(ctx, tx)
		if err != nil {
			return Progress{}, err
		}
		seal, err := s.next(ctx, tx, last, key, policy.Batch)
		if err != nil || seal.Size == 0 || when == Due && !s.due(seal, policy) {
			return s.waiting(ctx, tx, last.Last, err)
		}
		added, err := s.tree.Add(ctx, tx, seal)
		if err != nil || !added {
			return Progress{Waiting: true}, err
		}
		tx.AfterCommit(func(ctx context.Context) {
			s.log.InfoContext(ctx, "audit tree head", "tenant_id", t.ID.String(), "size", seal.Size, "head", seal.Head)
			s.sealed(seal.Size-seal.First, seal.At.Sub(seal.Oldest))
		})
		return Progress{Sealed: seal.Size - seal.First, Waiting: len(seal.Events) == policy.Batch}, nil
	})
}

// due reports whether the records of a seal have waited long enough, or are as
// many as go into one.
func (s *Sealing) due(seal domain.Seal, p audit.Policy) bool {
	return len(seal.Events) == p.Batch || seal.At.Sub(seal.Oldest) >= p.Every
}

func (s *Sealing) waiting(ctx context.Context, tx uow.Tx, after domain.Mark, err error) (Progress, error) {
	if err != nil {
		return Progress{}, err
	}
	n, err := s.tree.Unsealed(ctx, tx, after)
	return Progress{Waiting: n > 0}, err
}

// next makes the seal that follows last, of that many records at most; the zero
// Seal when there is nothing to seal.
func (s *Sealing) next(ctx context.Context, tx uow.Tx, last domain.Seal, key *domain.HeadKey, most int) (domain.Seal, error) {
	server, err := s.tree.Server(ctx, tx)
	if err != nil {
		return domain.Seal{}, err
	}
	batch, mark, err := s.batch(ctx, tx, last, most)
	if err != nil || len(batch) == 0 {
		return domain.Seal{}, err
	}
	parts, err := s.tree.Hashes(ctx, tx, domain.EdgePositions(last.Size))
	if err != nil {
		return domain.Seal{}, err
	}
	edge, err := domain.NewEdge(last.Size, parts)
	if err != nil {
		return domain.Seal{}, err
	}
	seal, err := domain.NewSeal(&edge, batch, key, s.clock.Now())
	seal.Last, seal.Server = mark, server
	return seal, err
}

// batch finds the records to seal next, and the mark up to which all are
// sealed then. On another server than before the mark begins anew: until all
// that came along is sealed, nothing is known to be complete.
func (s *Sealing) batch(ctx context.Context, tx uow.Tx, last domain.Seal, most int) ([]domain.Written, domain.Mark, error) {
	if last.Size == 0 || last.Last != (domain.Mark{}) {
		batch, err := s.tree.Settled(ctx, tx, last.Last, most)
		if err != nil || len(batch) == 0 {
			return nil, last.Last, err
		}
		end := batch[len(batch)-1]
		return batch, domain.Mark{Xid: end.Xid, ID: end.ID}, nil
	}
	batch, err := s.tree.Stranded(ctx, tx, most)
	if err != nil || len(batch) == most {
		return batch, domain.Mark{}, err
	}
	settled, err := s.tree.Settled(ctx, tx, domain.Mark{}, 1)
	if err != nil || len(settled) > 0 { // one settled in between: once more
		return batch, domain.Mark{}, err
	}
	return batch, domain.Mark{Xid: 1, ID: uuid.Nil}, nil
}

// Publish keeps the heads outside the database that are not yet, the oldest
// first: where one is, all before it are.
func (s *Sealing) Publish(ctx context.Context, t tenancy.Tenant) (int, error) {
	policy, err := s.policies.PolicyOf(ctx, t)
	if err != nil {
		return 0, err
	}
	return op.Do(ctx, s.jobs.Runner(t, Publish), Publish.On(t.ID.String()), func(tx uow.Tx) (int, error) {
		sizes, err := s.unpublished(ctx, tx, t.ID)
		if err != nil {
			return 0, err
		}
		for n, size := range sizes {
			if err := s.publish(ctx, tx, t.ID, size, policy.Forward); err != nil {
				return n, err
			}
		}
		return len(sizes), nil
	})
}

// unpublished are the sizes of the heads to keep. What is kept already must be
// what the database has: a tree that was cut or rewritten and grows again is
// not published over the heads that show it (domain.ErrForked).
func (s *Sealing) unpublished(ctx context.Context, tx uow.Tx, tenant uuid.UUID) ([]int64, error) {
	last, err := s.tree.Last(ctx, tx)
	if err != nil {
		return nil, err
	}
	var sizes []int64
	size := last.Size
	for size > 0 {
		seal, err := s.tree.SealOf(ctx, tx, size)
		if err != nil {
			return nil, err
		}
		line, kept, err := s.published.Find(ctx, tenant, size)
		if err != nil {
			return nil, err
		}
		if kept && line.Head != seal.Head {
			return nil, fmt.Errorf("%w at size %d", domain.ErrForked, size)
		}
		if kept {
			break
		}
		sizes = append(sizes, size)
		size = seal.First
	}
	slices.Reverse(sizes)
	for other, err := range s.published.Sizes(ctx, tenant, size) {
		if err != nil {
			return nil, err
		}
		if !slices.Contains(sizes, other) { // another process may be publishing the same
			return nil, fmt.Errorf("%w at size %d", domain.ErrForked, other)
		}
	}
	return sizes, nil
}

func (s *Sealing) publish(ctx context.Context, tx uow.Tx, tenant uuid.UUID, size int64, records bool) error {
	seal, err := s.tree.SealOf(ctx, tx, size)
	if err != nil {
		return err
	}
	if records {
		lines, err := s.lines(ctx, tx, seal)
		if err != nil {
			return err
		}
		if err := s.published.PublishRecords(ctx, tenant, size, lines); err != nil {
			return err
		}
	}
	return s.published.Publish(ctx, tenant, seal)
}

// lines are the records of a seal as the NDJSON export has them.
func (s *Sealing) lines(ctx context.Context, tx uow.Tx, seal domain.Seal) ([]byte, error) {
	records, err := s.tree.Sealed(ctx, tx, seal.First, seal.Size)
	if err != nil {
		return nil, err
	}
	var b bytes.Buffer
	for _, r := range records {
		line, err := domain.ExportLine(r.Event, &r.Number)
		if err != nil {
			return nil, err
		}
		b.Write(append(line, '\n'))
	}
	return b.Bytes(), nil
}
