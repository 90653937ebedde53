package infra

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"golang.org/x/mod/sumdb/tlog"

	"github.com/insulahq/insula/modules/audit/domain"
	"github.com/insulahq/insula/modules/audit/infra/internal/auditdb"
	"github.com/insulahq/insula/platform/pg"
	"github.com/insulahq/insula/platform/uow"
)

// Tree implements domain.Tree.
type Tree struct{ q *auditdb.Queries }

// NewTree makes the repository of the sealed records.
func NewTree() *Tree { return &Tree{q: auditdb.New()} }

// Last implements domain.Tree.
func (t *Tree) Last(ctx context.Context, tx uow.Tx) (domain.Seal, error) {
	row, err := t.q.LastSeal(ctx, pg.DB(tx))
	if errors.Is(err, pgx.ErrNoRows) {
		return domain.Seal{}, nil
	}
	if err != nil {
		return domain.Seal{}, pg.Translate(err, nil, nil)
	}
	seal := domain.Seal{Size: row.Size, Head: row.Head, Server: row.Server}
	if row.Here {
		seal.Last = domain.Mark{Xid: row.LastXid, ID: row.LastID}
	}
	return seal, nil
}

// Server implements domain.Tree.
func (t *Tree) Server(ctx context.Context, tx uow.Tx) (string, error) {
	server, err := t.q.ServerOf(ctx, pg.DB(tx))
	return server, pg.Translate(err, nil, nil)
}

// Settled implements domain.Tree.
func (t *Tree) Settled(ctx context.Context, tx uow.Tx, after domain.Mark, limit int) ([]domain.Written, error) {
	rows, err := t.q.UnsealedEvents(ctx, pg.DB(tx), after.Xid, after.ID, int32(limit))
	return written(rows), pg.Translate(err, nil, nil)
}

// After implements domain.Tree.
func (t *Tree) After(ctx context.Context, tx uow.Tx, m domain.Mark, limit int) ([]domain.Written, error) {
	rows, err := t.q.SettledEvents(ctx, pg.DB(tx), m.Xid, m.ID, int32(limit))
	return written(rows), pg.Translate(err, nil, nil)
}

// Newest implements domain.Tree.
func (t *Tree) Newest(ctx context.Context, tx uow.Tx) (domain.Mark, error) {
	row, err := t.q.LastSettled(ctx, pg.DB(tx))
	if errors.Is(err, pgx.ErrNoRows) {
		return domain.Mark{}, nil
	}
	return domain.Mark{Xid: row.Xid, ID: row.ID}, pg.Translate(err, nil, nil)
}

// Stranded implements domain.Tree.
func (t *Tree) Stranded(ctx context.Context, tx uow.Tx, limit int) ([]domain.Written, error) {
	rows, err := t.q.StrandedEvents(ctx, pg.DB(tx), int32(limit))
	return written(rows), pg.Translate(err, nil, nil)
}

func written(rows []auditdb.AuditEvent) []domain.Written {
	all := make([]domain.Written, len(rows))
	for i, row := range rows {
		all[i] = domain.Written{Event: toEvent(row), Xid: row.Xid}
	}
	return all
}

// Add implements domain.Tree.
func (t *Tree) Add(ctx context.Context, tx uow.Tx, s domain.Seal) (bool, error) {
	n, err := t.q.InsertSeal(ctx, pg.DB(tx), auditdb.InsertSealParams{
		Size: s.Size, First: s.First, FirstHash: s.FirstHash(), Hashes: s.Hashes, Head: s.Head, At: s.At,
		LastXid: s.Last.Xid, LastID: s.Last.ID, Server: s.Server,
	})
	if err != nil || n == 0 {
		return false, pg.Translate(err, nil, nil)
	}
	if err := t.q.InsertLeaves(ctx, pg.DB(tx), s.First, s.Events); err != nil {
		return false, pg.Translate(err, nil, nil)
	}
	if len(s.Words) == 0 {
		return true, nil
	}
	words, ats, ids := columns(s.Words)
	return true, pg.Translate(t.q.InsertWords(ctx, pg.DB(tx), words, ats, ids), nil, nil)
}

func columns(all []domain.Word) (words []string, ats []time.Time, ids []uuid.UUID) {
	for _, w := range all {
		words, ats, ids = append(words, w.Word), append(ats, w.At), append(ids, w.ID)
	}
	return words, ats, ids
}

// Hashes implements domain.Tree.
func (t *Tree) Hashes(ctx context.Context, tx uow.Tx, positions []int64) ([]tlog.Hash, error) {
	if len(positions) == 0 {
		return nil, nil
	}
	rows, err := t.q.StoredHashes(ctx, pg.DB(tx), positions)
	if err != nil {
		return nil, pg.Translate(err, nil, nil)
	}
	found := make(map[int64]tlog.Hash, len(rows))
	for _, row := range rows {
		if len(row.Hash) == tlog.HashSize {
			found[row.Position] = tlog.Hash(row.Hash)
		}
	}
	hashes := make([]tlog.Hash, len(positions))
	for i, position := range positions {
		h, ok := found[position]
		if !ok {
			return nil, fmt.Errorf("the hash at place %d of the audit tree is missing", position)
		}
		hashes[i] = h
	}
	return hashes, nil
}

// SealsAfter implements domain.Tree.
func (t *Tree) SealsAfter(ctx context.Context, tx uow.Tx, size int64, limit int) ([]domain.Seal, error) {
	rows, err := t.q.SealsAfter(ctx, pg.DB(tx), size, int32(limit))
	if err != nil {
		return nil, pg.Translate(err, nil, nil)
	}
	seals := make([]domain.Seal, len(rows))
	for i, row := range rows {
		seals[i] = toSeal(auditdb.SealOfSizeRow(row))
	}
	return seals, nil
}

// SealOf implements domain.Tree.
func (t *Tree) SealOf(ctx context.Context, tx uow.Tx, size int64) (domain.Seal, error) {
	row, err := t.q.SealOfSize(ctx, pg.DB(tx), size)
	if err != nil {
		return domain.Seal{}, pg.Translate(err, domain.ErrNotFound, nil)
	}
	return toSeal(row), nil
}

func toSeal(row auditdb.SealOfSizeRow) domain.Seal {
	return domain.Seal{
		First: row.First, Size: row.Size, Hashes: row.Hashes, Head: row.Head, At: row.At,
		Last: domain.Mark{Xid: row.LastXid, ID: row.LastID},
	}
}

// Sealed implements domain.Tree.
func (t *Tree) Sealed(ctx context.Context, tx uow.Tx, from, to int64) ([]domain.Numbered, error) {
	rows, err := t.q.SealedEvents(ctx, pg.DB(tx), from, to)
	if err != nil {
		return nil, pg.Translate(err, nil, nil)
	}
	events := make([]domain.Numbered, len(rows))
	for i, row := range rows {
		events[i] = domain.Numbered{Event: toEvent(row.AuditEvent), Number: row.Number}
	}
	return events, nil
}

// Tail implements domain.Tree.
func (t *Tree) Tail(ctx context.Context, tx uow.Tx, after domain.Mark, from int64, limit int) ([]domain.Tail, error) {
	rows, err := t.q.EventsBehind(ctx, pg.DB(tx), auditdb.EventsBehindParams{
		AfterXid: after.Xid, AfterID: after.ID, FromNumber: from, MaxRows: int32(limit),
	})
	if err != nil {
		return nil, pg.Translate(err, nil, nil)
	}
	tail := make([]domain.Tail, len(rows))
	for i, row := range rows {
		tail[i] = domain.Tail{Written: domain.Written{Event: toEvent(row.AuditEvent), Xid: row.AuditEvent.Xid}, Number: row.Number}
	}
	return tail, nil
}

// Leaves implements domain.Tree.
func (t *Tree) Leaves(ctx context.Context, tx uow.Tx, from, to int64) (map[int64]uuid.UUID, error) {
	rows, err := t.q.LeavesBetween(ctx, pg.DB(tx), from, to)
	if err != nil {
		return nil, pg.Translate(err, nil, nil)
	}
	ids := make(map[int64]uuid.UUID, len(rows))
	for _, row := range rows {
		ids[row.Number] = row.EventID
	}
	return ids, nil
}

// Number implements domain.Tree.
func (t *Tree) Number(ctx context.Context, tx uow.Tx, id uuid.UUID) (*int64, error) {
	return optional(t.q.NumberOf(ctx, pg.DB(tx), id))
}

// FirstNumber implements domain.Tree.
func (t *Tree) FirstNumber(ctx context.Context, tx uow.Tx) (*int64, error) {
	return optional(t.q.FirstNumber(ctx, pg.DB(tx)))
}

// Behind implements domain.Tree.
func (t *Tree) Behind(ctx context.Context, tx uow.Tx, m domain.Mark) (*uuid.UUID, error) {
	return optional(t.q.EventBehindSeals(ctx, pg.DB(tx), m.Xid, m.ID))
}

// Unsealed implements domain.Tree.
func (t *Tree) Unsealed(ctx context.Context, tx uow.Tx, m domain.Mark) (int64, error) {
	n, err := t.q.CountUnsealed(ctx, pg.DB(tx), m.Xid, m.ID)
	return n, pg.Translate(err, nil, nil)
}

// Remove implements domain.Tree. The tenant's role may not: see pg.AsRetention.
func (t *Tree) Remove(ctx context.Context, tx uow.Tx, events []domain.Numbered) error {
	if len(events) == 0 {
		return nil
	}
	ids := make([]uuid.UUID, len(events))
	var all []domain.Word
	for i, e := range events {
		ids[i] = e.ID
		all = append(all, domain.WordsOf(e.Event)...)
	}
	words, ats, wordIDs := columns(all)
	err := pg.AsRetention(ctx, tx, func() error {
		removed, err := t.q.RemoveEvents(ctx, pg.DB(tx), ids)
		if err != nil {
			return err
		}
		numbers, err := t.q.RemoveLeaves(ctx, pg.DB(tx), events[0].Number, events[len(events)-1].Number+1)
		if err == nil && (removed != int64(len(ids)) || numbers != removed) {
			err = fmt.Errorf("%d records and %d numbers were removed, not %d", removed, numbers, len(ids))
		}
		if err != nil {
			return err
		}
		return t.q.RemoveWords(ctx, pg.DB(tx), words, ats, wordIDs)
	})
	return pg.Translate(err, nil, nil)
}

// optional is nil for no row.
func optional[T any](v T, err error) (*T, error) {
	if errors.Is(err, pgx.ErrNoRows) {
		return nil, nil
	}
	if err != nil {
		return nil, pg.Translate(err, nil, nil)
	}
	return &v, nil
}
