package service

import (
	"context"

	"github.com/google/uuid"

	"github.com/insulahq/insula/modules/roles/domain"
	"github.com/insulahq/insula/platform/op"
	"github.com/insulahq/insula/platform/uow"
)

// Check and Explain answer what may be done. Whoever may explain may also ask
// about others: the answer tells less.
var (
	Check   = op.Read("authz.check", "Ask which permissions you have; about others only who may also explain.", op.SignedInOrKey)
	Explain = op.Read("authz.explain", "Explain why a user has a permission or not, and ask about others.")
)

// Question asks whether a user may do something.
type Question struct {
	User       uuid.UUID // uuid.Nil: the caller, or who made Key
	Key        uuid.UUID // the API key with which it would be done; uuid.Nil: none, or the caller's
	Permission string
	Owner      uuid.UUID // who owns the thing in question; uuid.Nil: nobody
}

// Verdict is the answer to one question. Rule says why.
type Verdict struct {
	Allowed bool
	Rule    string
}

// Verdicts answers several questions at one version of the policy.
type Verdicts struct {
	Version  int64
	Verdicts []Verdict // in the order of the questions
}

// Check answers questions. Those about the caller alone are answered from what
// the gate has read and take no query; those about others take two in all, and
// a third when they are about keys. Who asks with an API key is that key, and
// confined to its scope. It returns domain.ErrOthers to who may not ask about
// others.
func (s *Roles) Check(ctx context.Context, questions []Question) (Verdicts, error) {
	return op.Do(ctx, s.run, Check, func(tx uow.Tx) (Verdicts, error) {
		w, err := s.witness(ctx, tx, questions)
		if err != nil {
			return Verdicts{}, err
		}
		out := Verdicts{Version: w.policy.Version, Verdicts: make([]Verdict, len(questions))}
		for i, q := range questions {
			out.Verdicts[i] = w.answer(q)
		}
		return out, nil
	})
}

// Explanation is an answer with all that led to it.
type Explanation struct {
	Verdict
	User    uuid.UUID
	Origin  Origin        // of the permission; empty when there is none of this name
	Reason  domain.Reason // why the user holds it; empty when the user does not
	Key     uuid.UUID     // that was asked about
	Scope   []string      // what the key is bounded to; nil without a key
	Held    bool          // whether a role gives it, whatever the verdict
	Roles   []string      // that the user has
	Version int64         // of the policy
}

// Explain answers one question with the role that decided it, the way through
// its parents, the bounds of the key, and the version of the policy. It is
// about the roles that the user has now.
func (s *Roles) Explain(ctx context.Context, q Question) (Explanation, error) {
	return op.Do(ctx, s.run, Explain, func(tx uow.Tx) (Explanation, error) {
		if q.User == uuid.Nil && q.Key == uuid.Nil {
			q.User = s.scope.Caller.ID
		}
		w, err := s.about(ctx, tx, []Question{q})
		if err != nil {
			return Explanation{}, err
		}
		p := w.principal(q)
		out := Explanation{
			Verdict: w.answer(q), User: p.ID, Key: q.Key, Roles: w.standing.Roles(p.ID), Version: w.policy.Version,
		}
		out.Scope, _ = p.Grants.Scope()
		if d, origin, known := w.permission(q.Permission); known {
			out.Origin = origin
			out.Reason, out.Held = w.standing.Why(p.ID, d.Name)
		}
		return out, nil
	})
}
