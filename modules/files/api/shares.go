package api

import (
	"context"
	"net/url"
	"time"

	"github.com/google/uuid"

	"github.com/insulahq/insula/modules/files/domain"
	"github.com/insulahq/insula/modules/files/service"
	"github.com/insulahq/insula/platform/httpx"
	"github.com/insulahq/insula/platform/scope"
	"github.com/insulahq/insula/platform/secret"
)

// FileShare is how a link to a file is shown.
type FileShare struct {
	ID        uuid.UUID         `json:"id" format:"uuid" doc:"Identifies the link; it does not open anything."`
	FileID    uuid.UUID         `json:"file_id" format:"uuid" doc:"The content that it leads to. A new version of the file is another one."`
	SingleUse bool              `json:"single_use" doc:"Whether it works once."`
	State     domain.ShareState `json:"state" enum:"open,used,expired,revoked" doc:"Only an open link lets in."`
	Opened    int64             `json:"opened" doc:"How often content was sent by it."`
	CreatedBy uuid.UUID         `json:"created_by" format:"uuid" doc:"The user who made it."`
	CreatedAt time.Time         `json:"created_at"`
	ExpiresAt time.Time         `json:"expires_at" doc:"When it ends by itself."`
	RevokedAt *time.Time        `json:"revoked_at,omitempty" doc:"When somebody ended it."`
}

func showShare(s domain.Share, now time.Time) FileShare {
	out := FileShare{
		ID: s.ID, FileID: s.FileID, SingleUse: s.SingleUse, State: s.State(now), Opened: s.Opened,
		CreatedBy: s.CreatedBy, CreatedAt: s.CreatedAt, ExpiresAt: s.ExpiresAt,
	}
	if !s.RevokedAt.IsZero() {
		out.RevokedAt = &s.RevokedAt
	}
	return out
}

// NewFileShare is the body that makes a link.
type NewFileShare struct {
	ExpiresIn int64 `json:"expires_in" minimum:"60" maximum:"31622400" doc:"How long the link works, in seconds." example:"86400"`
	SingleUse bool  `json:"single_use,omitempty" doc:"Whether it works once. Programs that look at links before people do may use it up."`
}

type createShareInput struct {
	FileID
	Body NewFileShare
}

// CreatedFileShare is a new link together with its address.
type CreatedFileShare struct {
	FileShare
	URL string `json:"url" doc:"Give it to whom it is meant for: whoever has it can read the file. It is shown this once."`
}

func (a *API) createShare(ctx context.Context, in *createShareInput) (*httpx.Answer[CreatedFileShare], error) {
	req := scope.From(ctx)
	s, err := a.files(req).CreateShare(ctx, in.ID, domain.Sharing{
		Life: time.Duration(in.Body.ExpiresIn) * time.Second, SingleUse: in.Body.SingleUse,
	})
	if err != nil {
		return nil, err
	}
	return &httpx.Answer[CreatedFileShare]{Body: CreatedFileShare{
		FileShare: showShare(s.Share, s.CreatedAt), URL: a.shareURL(req.Tenant.Slug, s.Token),
	}}, nil
}

// sharePath is where links lead.
const sharePath = "/v1/shares/content"

// shareURL names the tenant, because a browser that follows a link says
// nothing about it.
func (a *API) shareURL(tenant string, token secret.Value) string {
	return a.public + sharePath + "?" + url.Values{"tenant": {tenant}, "token": {token.Reveal()}}.Encode()
}

type listSharesInput struct {
	FileID
	httpx.Paging
}

func (a *API) listShares(ctx context.Context, in *listSharesInput) (*httpx.Answer[httpx.List[FileShare]], error) {
	req := scope.From(ctx)
	bound := binding(req, service.ListShares.Name, in.ID)
	r, err := in.Request(a.cursors, bound)
	if err != nil {
		return nil, err
	}
	files := a.files(req)
	found, err := files.Shares(ctx, in.ID, r)
	if err != nil {
		return nil, err
	}
	now := files.Clock.Now()
	return httpx.ListOf(found, a.cursors, bound, func(s domain.Share) FileShare { return showShare(s, now) }), nil
}

type revokeShareInput struct {
	ID uuid.UUID `path:"id" format:"uuid" doc:"The link's id."`
}

func (a *API) revokeShare(ctx context.Context, in *revokeShareInput) (*httpx.Nothing, error) {
	return nil, a.files(scope.From(ctx)).RevokeShare(ctx, in.ID)
}

type openShareInput struct {
	Tenant string `query:"tenant" maxLength:"63" doc:"The tenant's slug, as the link has it."`
	Token  string `query:"token" required:"true" minLength:"1" maxLength:"100" doc:"What lets in, as the link has it."`
}

func (a *API) openShare(ctx context.Context, in *openShareInput) (*httpx.Download, error) {
	r, err := a.files(scope.From(ctx)).OpenShare(ctx, secret.New(in.Token))
	if err != nil {
		return nil, err
	}
	return deliver(r), nil
}
