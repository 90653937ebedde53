package service

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/insulahq/insula/modules/audit/domain"
	"github.com/insulahq/insula/platform/op"
	"github.com/insulahq/insula/platform/page"
	"github.com/insulahq/insula/platform/uow"
)

// Verify is the declaration of checking the whole trail.
var Verify = op.Read("audit.verify", "Check every record of the audit trail against its signed heads.",
	op.Recorded, op.Long, op.About("audit_trail"))

// Verify recomputes the tree from the records and holds it against the heads
// in the database, the newest one outside of it, and those that the caller has
// kept. What does not fit is in the report, not in the error.
func (s *Evidence) Verify(ctx context.Context, kept []domain.Checkpoint) (domain.Report, error) {
	return op.Do(ctx, s.run, Verify.On(s.tenant.String()), func(tx uow.Tx) (domain.Report, error) {
		key, err := s.keys.Of(s.tenant)
		if err != nil {
			return domain.Report{}, err
		}
		newest, err := s.newestPublished(ctx, key.Public())
		if err != nil {
			return reportOf(domain.Report{PublicKey: key.Public()}, err)
		}
		sources := [][]domain.Checkpoint{newest, kept}
		report, err := s.check(ctx, tx, key.Public(), domain.Listed(sources[0]), domain.Listed(sources[1]))
		if err != nil || report.Finding == nil || report.Finding.Kind != domain.Changed || len(newest) == 0 {
			return report, err
		}
		// Something was rewritten. All heads outside the database can say what.
		published, stop := s.allPublished(ctx, key.Public())
		defer stop()
		second, err := s.check(ctx, tx, key.Public(), published, domain.Listed(kept))
		if err != nil || second.Finding == nil {
			return report, err
		}
		return second, nil
	})
}

// reportOf puts a finding into the report, where people look for it.
func reportOf(r domain.Report, err error) (domain.Report, error) {
	var finding *domain.Finding
	if errors.As(err, &finding) {
		r.Finding = finding
		return r, nil
	}
	return r, err
}

// sealsAtOnce is how many seals are read at a time, with the hashes of all
// their records.
const sealsAtOnce = 16

// check walks through all seals, the oldest first.
func (s *Evidence) check(ctx context.Context, tx uow.Tx, key string, sources ...domain.Checkpoints) (domain.Report, error) {
	w := &walk{ctx: ctx, tx: tx, tree: s.tree, key: key, report: domain.Report{PublicKey: key}}
	if err := w.begin(sources); err != nil {
		return reportOf(w.report, err)
	}
	for {
		seals, err := s.tree.SealsAfter(ctx, tx, w.checker.Size(), sealsAtOnce)
		if err != nil {
			return w.report, err
		}
		for _, seal := range seals {
			if err := w.seal(seal); err != nil {
				return reportOf(w.counted(), err)
			}
		}
		if len(seals) < sealsAtOnce {
			break
		}
	}
	err := w.end(s.events)
	return reportOf(w.counted(), err)
}

// walk is one check of a trail.
type walk struct {
	ctx     context.Context
	tx      uow.Tx
	tree    domain.Tree
	key     string
	checker *domain.Checker
	report  domain.Report
	last    domain.Mark
	seals   int
}

func (w *walk) begin(sources []domain.Checkpoints) error {
	first, err := w.tree.FirstNumber(w.ctx, w.tx)
	if err != nil {
		return err
	}
	last, err := w.tree.Last(w.ctx, w.tx)
	if err != nil {
		return err
	}
	switch {
	case first != nil:
		w.report.Removed = *first
	default:
		w.report.Removed = last.Size
	}
	w.last = last.Last
	w.checker, err = domain.NewChecker(domain.Edge{}, sources...)
	return err
}

func (w *walk) counted() domain.Report {
	if w.checker != nil {
		w.report.Size, w.report.Heads = w.checker.Size(), w.seals+w.checker.Held()
	}
	return w.report
}

// broken says that a seal does not fit the records before it.
func (w *walk) broken(kind, format string, args ...any) error {
	return &domain.Finding{Kind: kind, Number: w.checker.Size(), Detail: fmt.Sprintf(format, args...)}
}

// seal checks the records of one seal, and what the seal itself says.
func (w *walk) seal(s domain.Seal) error {
	head, err := domain.OpenHead(s.Head, w.key)
	switch {
	case err != nil:
		return w.broken(domain.Forged, "the head of size %d in the database is not signed by this tenant's key", s.Size)
	case head.Size != s.Size || s.First != w.checker.Size():
		return w.broken(domain.Broken, "a seal of records %d to %d stands where the one from %d on should be", s.First, s.Size-1, w.checker.Size())
	}
	leaves, err := s.Leaves()
	if err != nil {
		return w.broken(domain.Broken, "the seal of size %d: %v", s.Size, err)
	}
	point := domain.Checkpoint{Head: head, Source: "the database", Leaves: leaves}
	stored, err := w.records(s, point)
	if err != nil {
		return err
	}
	if !slices.Equal(stored, s.Hashes) {
		return &domain.Finding{Kind: domain.Broken, Number: s.First,
			Detail: fmt.Sprintf("the hashes that were stored with the head of size %d are not those of its records", s.Size)}
	}
	w.report.Head = s.Head
	w.seals++
	return nil
}

// records adds the records of a seal to the tree and holds them against its
// head. It returns the hashes that should be stored.
func (w *walk) records(s domain.Seal, point domain.Checkpoint) ([]byte, error) {
	events, err := w.tree.Sealed(w.ctx, w.tx, s.First, s.Size)
	if err != nil {
		return nil, err
	}
	if err := w.checker.Expect(point); err != nil {
		return nil, err
	}
	stored := make([]byte, 0, len(s.Hashes))
	gone := int64(-1) // the first record that is missing; one before it may have been changed
	for number, next := s.First, 0; number < s.Size; number++ {
		leaf, event := point.Leaves[number-s.First], (*domain.Event)(nil)
		if next < len(events) && events[next].Number == number {
			event = &events[next].Event
			next++
			if leaf, err = domain.LeafHash(*event); err != nil {
				return nil, err
			}
		} else if number >= w.report.Removed && gone < 0 {
			gone = number
		}
		hashes, err := w.checker.AddEvent(event, leaf)
		if err != nil {
			return nil, w.earlier(err, gone)
		}
		stored = append(stored, domain.Pack(hashes)...)
	}
	if gone >= 0 {
		return nil, w.missing(gone)
	}
	return stored, nil
}

// earlier is what comes first of a finding and a missing record.
func (w *walk) earlier(err error, gone int64) error {
	var finding *domain.Finding
	if gone < 0 || errors.As(err, &finding) && finding.Number < gone {
		return err
	}
	return w.missing(gone)
}

func (w *walk) missing(number int64) error {
	finding := &domain.Finding{Kind: domain.Missing, Number: number, Detail: "this record was sealed and is not there any more"}
	ids, err := w.tree.Leaves(w.ctx, w.tx, number, number+1)
	if err != nil {
		return err
	}
	if id, known := ids[number]; known {
		finding.Event = &id
	}
	return finding
}

// end checks what is behind the last seal.
func (w *walk) end(events domain.Repository) error {
	if err := w.checker.Finish(); err != nil {
		return err
	}
	behind, err := w.tree.Behind(w.ctx, w.tx, w.last)
	if err != nil {
		return err
	}
	if behind != nil {
		return &domain.Finding{Kind: domain.Added, Number: w.checker.Size(), Event: behind,
			Detail: "this record stands among sealed ones and was not there when they were sealed"}
	}
	if w.report.Unsealed, err = w.tree.Unsealed(w.ctx, w.tx, w.last); err != nil {
		return err
	}
	return w.removalIsRecorded(events)
}

// removalIsRecorded checks that retention removed the records that are gone at
// the beginning: it leaves a record of that.
func (w *walk) removalIsRecorded(events domain.Repository) error {
	if w.report.Removed == 0 {
		return nil
	}
	spec := domain.Spec{Operation: Expire.Name, Outcome: string(op.Done)}
	found, err := events.List(w.ctx, w.tx, spec, page.Request{Limit: 10})
	if err != nil {
		return err
	}
	var recorded int64
	for _, e := range found.Items {
		if r, err := domain.ParseRemoval(e.After); err == nil {
			recorded = max(recorded, r.RemovedBefore)
		}
	}
	if recorded < w.report.Removed {
		return &domain.Finding{Kind: domain.Missing, Number: recorded,
			Detail: fmt.Sprintf("the records before number %d are gone, and no record says that retention removed them", w.report.Removed)}
	}
	return nil
}
