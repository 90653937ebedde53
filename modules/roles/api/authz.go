package api

import (
	"context"
	"time"

	"github.com/google/uuid"

	"github.com/insulahq/insula/modules/roles/service"
	"github.com/insulahq/insula/platform/httpx"
	"github.com/insulahq/insula/platform/scope"
)

// AuthzResource is the thing that a question is about.
type AuthzResource struct {
	OwnerID *uuid.UUID `json:"owner_id,omitempty" format:"uuid" doc:"The user who owns it. It counts where ownership allows."`
}

// AuthzCheck is one question.
type AuthzCheck struct {
	UserID     *uuid.UUID     `json:"user_id,omitempty" format:"uuid" doc:"Whom it is about; absent: yourself, within the scope of the key that you ask with, or who made api_key_id. Others need the permission authz.explain."`
	APIKeyID   *uuid.UUID     `json:"api_key_id,omitempty" format:"uuid" doc:"The API key with which it would be done, whose scope counts then; needs the permission authz.explain."`
	Permission string         `json:"permission" minLength:"1" maxLength:"100" doc:"Name of an operation or of a registered permission." example:"billing.refund"`
	Resource   *AuthzResource `json:"resource,omitempty" doc:"The thing in question."`
}

func (c AuthzCheck) question() service.Question {
	q := service.Question{Permission: c.Permission}
	if c.UserID != nil {
		q.User = *c.UserID
	}
	if c.APIKeyID != nil {
		q.Key = *c.APIKeyID
	}
	if c.Resource != nil && c.Resource.OwnerID != nil {
		q.Owner = *c.Resource.OwnerID
	}
	return q
}

// AuthzChecks is the body that asks several questions at once.
type AuthzChecks struct {
	Checks []AuthzCheck `json:"checks" minItems:"1" maxItems:"100" doc:"The questions."`
}

// AuthzVerdict is the answer to one question.
type AuthzVerdict struct {
	Allowed bool   `json:"allowed" doc:"Whether it is allowed now."`
	Rule    string `json:"rule" doc:"What decided." example:"role admin"`
}

// AuthzVerdicts are the answers to several questions.
type AuthzVerdicts struct {
	Results       []AuthzVerdict `json:"results" maxItems:"100" doc:"The answers, in the order of the questions."`
	PolicyVersion int64          `json:"policy_version" doc:"Version of the tenant's roles that they follow from."`
}

type checkInput struct {
	Body AuthzChecks
}

func (a *API) check(ctx context.Context, in *checkInput) (*httpx.Answer[AuthzVerdicts], error) {
	questions := make([]service.Question, len(in.Body.Checks))
	for i, c := range in.Body.Checks {
		questions[i] = c.question()
	}
	found, err := a.service(scope.From(ctx)).Check(ctx, questions)
	if err != nil {
		return nil, err
	}
	out := &httpx.Answer[AuthzVerdicts]{Body: AuthzVerdicts{Results: make([]AuthzVerdict, len(questions)), PolicyVersion: found.Version}}
	for i, v := range found.Verdicts {
		out.Body.Results[i] = AuthzVerdict(v)
	}
	return out, nil
}

// AuthzExplanation is an answer with all that led to it.
type AuthzExplanation struct {
	Allowed       bool           `json:"allowed" doc:"Whether it is allowed now."`
	Rule          string         `json:"rule" doc:"What decided." example:"role support-lead"`
	UserID        *uuid.UUID     `json:"user_id,omitempty" format:"uuid" doc:"Whom it is about; absent for a key that is nobody's."`
	APIKeyID      *uuid.UUID     `json:"api_key_id,omitempty" format:"uuid" doc:"The API key that was asked about, if one was."`
	Scope         []string       `json:"scope,omitempty" maxItems:"1000" doc:"What the key is bounded to: that one, or the one that you ask about yourself with."`
	Permission    string         `json:"permission" maxLength:"100" doc:"What was asked for."`
	Origin        service.Origin `json:"origin,omitempty" enum:"operation,product,tenant" doc:"Where the permission comes from; absent when there is none of this name."`
	Role          string         `json:"role,omitempty" maxLength:"100" doc:"The role of the user's that gives the permission; absent when none does."`
	Path          []string       `json:"path" maxItems:"500" doc:"From that role through its parents to the one that names the permission."`
	Entry         string         `json:"entry,omitempty" maxLength:"100" doc:"What that last role names: the permission or a pattern; absent for a built-in role."`
	EndsAt        *time.Time     `json:"ends_at,omitempty" doc:"When the user's role ends, if it does."`
	Roles         []string       `json:"roles" maxItems:"500" doc:"The roles that the user has now."`
	PolicyVersion int64          `json:"policy_version" doc:"Version of the tenant's roles that the answer follows from."`
}

type explainInput struct {
	Body AuthzCheck
}

func (a *API) explain(ctx context.Context, in *explainInput) (*httpx.Answer[AuthzExplanation], error) {
	found, err := a.service(scope.From(ctx)).Explain(ctx, in.Body.question())
	if err != nil {
		return nil, err
	}
	out := AuthzExplanation{
		Allowed: found.Allowed, Rule: found.Rule, Permission: in.Body.Permission, Origin: found.Origin,
		Path: []string{}, Roles: found.Roles, PolicyVersion: found.Version,
		APIKeyID: in.Body.APIKeyID, Scope: found.Scope,
	}
	if found.User != uuid.Nil {
		out.UserID = &found.User
	}
	if found.Held {
		out.Role, out.Path, out.Entry = found.Reason.Role(), found.Reason.Path, found.Reason.Entry
		if end := found.Reason.Until; !end.IsZero() {
			out.EndsAt = &end
		}
	}
	return &httpx.Answer[AuthzExplanation]{Body: out}, nil
}
