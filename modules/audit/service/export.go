package service

import (
	"context"

	"github.com/insulahq/insula/modules/audit/domain"
	"github.com/insulahq/insula/platform/op"
	"github.com/insulahq/insula/platform/uow"
)

// Export is the declaration of taking the trail out.
var Export = op.Read("audit.export", "Export the audit trail.", op.Recorded, op.Long, op.About("audit_trail"))

// exportedAtOnce bounds what an export holds in memory, in records.
const exportedAtOnce = 500

// Export hands every record that the spec finds to write, in the order in
// which they are sealed, each with its number if it has one. It reads some
// hundred at a time, each in a statement of its own: however slow the reader
// is, no transaction waits for it, and memory does not grow with the trail.
func (s *Evidence) Export(ctx context.Context, spec domain.Spec, write func(e domain.Event, number *int64) error) error {
	_, err := op.Do(ctx, s.run, Export.On(s.tenant.String()), func(tx uow.Tx) (struct{}, error) {
		last, err := s.tree.Last(ctx, tx)
		if err != nil {
			return struct{}{}, err
		}
		for from := int64(0); from < last.Size; from += exportedAtOnce {
			events, err := s.tree.Sealed(ctx, tx, from, min(from+exportedAtOnce, last.Size))
			if err != nil {
				return struct{}{}, err
			}
			for _, e := range events {
				if err := pass(spec, e.Event, &e.Number, write); err != nil {
					return struct{}{}, err
				}
			}
		}
		return struct{}{}, s.exportTail(ctx, tx, last, spec, write)
	})
	return err
}

// exportTail goes on with what was not sealed when the export began.
func (s *Evidence) exportTail(ctx context.Context, tx uow.Tx, last domain.Seal, spec domain.Spec, write func(domain.Event, *int64) error) error {
	for after := last.Last; ; {
		tail, err := s.tree.Tail(ctx, tx, after, last.Size, exportedAtOnce)
		if err != nil {
			return err
		}
		for _, e := range tail {
			if err := pass(spec, e.Event, e.Number, write); err != nil {
				return err
			}
			after = domain.Mark{Xid: e.Xid, ID: e.ID}
		}
		if len(tail) < exportedAtOnce {
			return nil
		}
	}
}

func pass(spec domain.Spec, e domain.Event, number *int64, write func(domain.Event, *int64) error) error {
	if !spec.Finds(e) {
		return nil
	}
	return write(e, number)
}
