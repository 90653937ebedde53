package service

import (
	"context"
	"slices"

	"github.com/google/uuid"

	"github.com/insulahq/insula/modules/roles/domain"
	"github.com/insulahq/insula/modules/users"
	"github.com/insulahq/insula/platform/authn"
	"github.com/insulahq/insula/platform/op"
	"github.com/insulahq/insula/platform/scope"
	"github.com/insulahq/insula/platform/uow"
)

// witness knows what is needed to answer questions.
type witness struct {
	scope    scope.Request
	registry *op.Registry
	policy   *domain.Policy
	// What was read about those who are asked about; nothing when the caller
	// asks about itself alone.
	standing domain.Standing
	grants   map[uuid.UUID]*authn.Grants
	active   []uuid.UUID
	keys     map[uuid.UUID]users.KeyScope
}

// witness reads what is needed to answer questions.
func (s *Roles) witness(ctx context.Context, tx uow.Tx, questions []Question) (witness, error) {
	others := slices.DeleteFunc(slices.Clone(questions), func(q Question) bool { return isAbout(q, s.scope.Caller) })
	if len(others) == 0 {
		policy, err := s.current(ctx, tx)
		return witness{scope: s.scope, registry: s.registry, policy: policy}, err
	}
	if !(Decider{}).Decide(s.scope, Explain).Allow {
		return witness{}, domain.ErrOthers
	}
	return s.about(ctx, tx, others)
}

// isAbout reports whether a question is about this caller as it asks.
func isAbout(q Question, c authn.Caller) bool {
	return q.Key == uuid.Nil && (q.User == uuid.Nil || q.User == c.ID)
}

// about reads what is needed to answer questions about users and keys.
func (s *Roles) about(ctx context.Context, tx uow.Tx, questions []Question) (witness, error) {
	w := witness{scope: s.scope, registry: s.registry}
	var subjects, keys []uuid.UUID
	for _, q := range questions {
		subjects, keys = with(subjects, q.User), with(keys, q.Key)
	}
	var err error
	if len(keys) > 0 {
		if w.keys, err = s.keys.Scopes(ctx, tx, keys, s.clock.Now()); err != nil {
			return w, err
		}
		for _, k := range w.keys {
			subjects = with(subjects, k.Maker)
		}
	}
	w.standing, w.grants, err = s.standings.Standing(ctx, tx, s.scope.Tenant, s.scope.Caller.Policy, subjects)
	if err != nil {
		return w, err
	}
	w.policy = w.standing.Policy
	w.active, err = s.people.Active(ctx, tx, subjects)
	return w, err
}

// with adds an id that is not there yet, unless it is none.
func with(ids []uuid.UUID, id uuid.UUID) []uuid.UUID {
	if id == uuid.Nil || slices.Contains(ids, id) {
		return ids
	}
	return append(ids, id)
}

// principal is who would be the caller of what a question asks about, with
// nothing but what was read; nobody for a key that does not work.
func (w witness) principal(q Question) authn.Caller {
	me := w.scope.Caller
	bounds, bounded := me.Grants.Scope()
	switch {
	case q.Key != uuid.Nil:
		k, works := w.keys[q.Key]
		if !works || q.User != uuid.Nil && q.User != k.Maker {
			return authn.Caller{}
		}
		return authn.Caller{Kind: authn.APIKey, ID: k.Maker, Grants: w.grants[k.Maker].Narrow(k.Operations)}
	case isAbout(q, me) && bounded:
		return authn.Caller{Kind: me.Kind, ID: me.ID, Grants: w.grants[me.ID].Narrow(bounds)}
	}
	return authn.Caller{Kind: authn.User, ID: q.User, Grants: w.grants[q.User]}
}

// answer decides a question as the decision maker decides a request. About the
// caller it knows what the gate has read, unless that was read anew.
func (w witness) answer(q Question) Verdict {
	if isAbout(q, w.scope.Caller) && w.grants[w.scope.Caller.ID] == nil {
		return w.decide(w.scope.Caller, q)
	}
	p := w.principal(q)
	switch {
	case p.Kind == "":
		return Verdict{Rule: "no such key of the user, or it has expired"}
	case !slices.Contains(w.active, p.ID):
		return Verdict{Rule: "user not active"}
	}
	return w.decide(p, q)
}

func (w witness) decide(c authn.Caller, q Question) Verdict {
	d, _, known := w.permission(q.Permission)
	if !known {
		return Verdict{Rule: "unknown permission"}
	}
	decision := Decider{}.Decide(scope.Request{Tenant: w.scope.Tenant, Caller: c}, d)
	if decision.IfOwner {
		if c.ID != uuid.Nil && q.Owner == c.ID {
			return Verdict{Allowed: true, Rule: "owner"}
		}
		return Verdict{Rule: "no role, and not the owner"}
	}
	return Verdict{Allowed: decision.Allow, Rule: decision.Rule}
}

// permission finds what a name stands for: an operation before anything else,
// so that nobody can register another meaning.
func (w witness) permission(name string) (op.Def, Origin, bool) {
	if d, known := w.registry.Find(name); known {
		return d, FromOperation, true
	}
	if c, known := w.policy.Custom(name); known {
		origin := FromTenant
		if c.CreatedAt.IsZero() {
			origin = FromProduct
		}
		return op.Question(c.Name, c.OwnerToo), origin, true
	}
	return op.Def{}, "", false
}
