package service

import (
	"context"

	"github.com/google/uuid"
	"golang.org/x/mod/sumdb/tlog"

	"github.com/insulahq/insula/modules/audit/domain"
	"github.com/insulahq/insula/platform/op"
	"github.com/insulahq/insula/platform/scope"
	"github.com/insulahq/insula/platform/uow"
)

// Evidence runs the operations that prove the trail, for one request.
type Evidence struct {
	run       *op.Runner
	tenant    uuid.UUID
	events    domain.Repository
	tree      domain.Tree
	published domain.Published
	keys      domain.HeadKeys
}

// NewEvidence makes the service of one request.
func NewEvidence(run *op.Runner, r scope.Request, events domain.Repository, tree domain.Tree, p domain.Published, keys domain.HeadKeys) *Evidence {
	return &Evidence{run: run, tenant: r.Tenant.ID, events: events, tree: tree, published: p, keys: keys}
}

// Key is the declaration of showing the key that checks heads.
var Key = op.Read("audit.key.get", "Show the key that checks the signed heads of the audit trail.",
	op.Public("a verifier key is there for everybody who checks"))

// Key is the verifier key of the tenant's heads.
func (s *Evidence) Key(ctx context.Context) (string, error) {
	return op.Do(ctx, s.run, Key, func(uow.Tx) (string, error) {
		key, err := s.keys.Of(s.tenant)
		if err != nil {
			return "", err
		}
		return key.Public(), nil
	})
}

// Prove shows one event with the proof that it is part of the newest sealed
// tree. It returns domain.ErrNotSealed for one that is not yet.
func (s *Evidence) Prove(ctx context.Context, id uuid.UUID) (Proven, error) {
	return op.Do(ctx, s.run, Get.On(id.String()), func(tx uow.Tx) (Proven, error) {
		event, err := s.events.Get(ctx, tx, id)
		if err != nil {
			return Proven{}, err
		}
		number, err := s.tree.Number(ctx, tx, id)
		if err != nil {
			return Proven{}, err
		}
		if number == nil {
			return Proven{}, domain.ErrNotSealed
		}
		proof, err := s.proof(ctx, tx, event, *number)
		return Proven{Event: event, Proof: proof}, err
	})
}

// Proven is an event with its proof.
type Proven struct {
	Event domain.Event
	Proof domain.Proof
}

func (s *Evidence) proof(ctx context.Context, tx uow.Tx, event domain.Event, number int64) (domain.Proof, error) {
	last, err := s.tree.Last(ctx, tx)
	if err != nil {
		return domain.Proof{}, err
	}
	record, err := domain.Canonical(event)
	if err != nil {
		return domain.Proof{}, err
	}
	stored := tlog.HashReaderFunc(func(positions []int64) ([]tlog.Hash, error) { return s.tree.Hashes(ctx, tx, positions) })
	hashes, err := tlog.ProveRecord(last.Size, number, stored)
	return domain.Proof{Number: number, Hashes: hashes, Head: last.Head, Record: string(record)}, err
}
