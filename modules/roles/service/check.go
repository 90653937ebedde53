package service

import (
	"context"
	"slices"

	"github.com/google/uuid"

	"github.com/insulahq/insula/modules/roles/domain"
	"github.com/insulahq/insula/platform/authn"
	"github.com/insulahq/insula/platform/op"
	"github.com/insulahq/insula/platform/scope"
	"github.com/insulahq/insula/platform/uow"
)

// Check and Explain answer what may be done. Whoever may explain may also ask
// about others: the answer tells less.
var (
	Check   = op.Read("authz.check", "Ask which permissions you have; about others only who may also explain.", op.SignedIn)
	Explain = op.Read("authz.explain", "Explain why a user has a permission or not, and ask about others.")
)

// Question asks whether a user may do something.
type Question struct {
	User       uuid.UUID // uuid.Nil: the caller
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
// the gate has read and take no query; those about others take two in all. It
// returns domain.ErrOthers to who may not ask about others.
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
	Held    bool          // whether a role gives it, whatever the verdict
	Roles   []string      // that the user has
	Version int64         // of the policy
}

// Explain answers one question with the role that decided it, the way through
// its parents, and the version of the policy. It is about the roles that the
// user has now, not about the scope of a key.
func (s *Roles) Explain(ctx context.Context, q Question) (Explanation, error) {
	return op.Do(ctx, s.run, Explain, func(tx uow.Tx) (Explanation, error) {
		if q.User == uuid.Nil {
			q.User = s.scope.Caller.ID
		}
		w, standing, err := s.about(ctx, tx, []uuid.UUID{q.User})
		if err != nil {
			return Explanation{}, err
		}
		out := Explanation{
			Verdict: w.answerAbout(q), User: q.User, Roles: standing.Roles(q.User), Version: standing.Policy.Version,
		}
		if d, origin, known := w.permission(q.Permission); known {
			out.Origin = origin
			out.Reason, out.Held = standing.Why(q.User, d.Name)
		}
		return out, nil
	})
}

// witness knows what is needed to answer questions.
type witness struct {
	scope    scope.Request
	policy   *domain.Policy
	registry *op.Registry
	others   map[uuid.UUID]*authn.Grants
	active   []uuid.UUID // of the others
}

// witness reads what is needed to answer questions.
func (s *Roles) witness(ctx context.Context, tx uow.Tx, questions []Question) (witness, error) {
	w := witness{scope: s.scope, registry: s.registry}
	var others []uuid.UUID
	for _, q := range questions {
		if !w.aboutCaller(q) && !slices.Contains(others, q.User) {
			others = append(others, q.User)
		}
	}
	var err error
	if len(others) == 0 {
		w.policy, err = s.current(ctx, tx)
		return w, err
	}
	if !(Decider{}).Decide(s.scope, Explain).Allow {
		return w, domain.ErrOthers
	}
	w, _, err = s.about(ctx, tx, others)
	return w, err
}

// about reads what is needed to answer questions about users.
func (s *Roles) about(ctx context.Context, tx uow.Tx, users []uuid.UUID) (witness, domain.Standing, error) {
	standing, grants, err := s.standings.Standing(ctx, tx, s.scope.Tenant, s.scope.Caller.Policy, users)
	if err != nil {
		return witness{}, standing, err
	}
	active, err := s.people.Active(ctx, tx, users)
	return witness{scope: s.scope, policy: standing.Policy, registry: s.registry, others: grants, active: active}, standing, err
}

func (w witness) aboutCaller(q Question) bool {
	return q.User == uuid.Nil || q.User == w.scope.Caller.ID
}

// answer decides a question as the decision maker decides a request.
func (w witness) answer(q Question) Verdict {
	if w.aboutCaller(q) {
		return w.decide(w.scope.Caller, q)
	}
	return w.answerAbout(q)
}

// answerAbout decides a question about somebody whose roles were read.
func (w witness) answerAbout(q Question) Verdict {
	if !slices.Contains(w.active, q.User) {
		return Verdict{Rule: "user not active"}
	}
	return w.decide(authn.Caller{Kind: authn.User, ID: q.User, Grants: w.others[q.User]}, q)
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
