package tenantsmodule

import (
	"context"
	"errors"
	"time"

	"github.com/google/uuid"

	"github.com/insulahq/insula/modules/tenants/domain"
	"github.com/insulahq/insula/modules/tenants/infra"
	"github.com/insulahq/insula/modules/tenants/service"
	"github.com/insulahq/insula/modules/users"
	"github.com/insulahq/insula/platform/clock"
	"github.com/insulahq/insula/platform/errs"
	"github.com/insulahq/insula/platform/jobs"
	"github.com/insulahq/insula/platform/mailx"
)

// provisioner brings a registered tenant to life in steps that each may be
// repeated: make the schema, invite the first administrator, close the work.
type provisioner struct {
	ledger  *infra.Ledger
	service *service.Provisioning
	mail    mailx.Sender
	links   mailx.Links
	clock   clock.Clock
	stocker Stocker
}

// Unfinished tenants are looked for at the start and then regularly, but not
// while whoever creates one may still be at it.
const (
	resumeEvery = 15 * time.Second
	resumeAfter = 10 * time.Second
)

func (p *provisioner) work() jobs.Work {
	return jobs.Work{Name: service.Provision.Name, Pending: p.pending, Do: p.do, Every: resumeEvery}
}

func (p *provisioner) pending(ctx context.Context) ([]uuid.UUID, error) {
	return p.ledger.Pending(ctx, p.clock.Now().Add(-resumeAfter))
}

// do finishes the creation of a tenant. Once that has ended it does nothing,
// however often a client asks again: another invitation would make the one
// that was sent worthless.
func (p *provisioner) do(ctx context.Context, id uuid.UUID) error {
	if unfinished, err := p.ledger.Unfinished(ctx, id); err != nil || !unfinished {
		return err
	}
	t, err := p.ledger.Tenant(ctx, id)
	if err != nil {
		return err
	}
	_, err = p.service.Provision(ctx, t)
	if errors.Is(err, domain.ErrSameDatabase) { // however often it is tried
		return errors.Join(err, p.ledger.Abandon(ctx, p.problem(id, domain.Broken, 0, err)))
	}
	if err != nil {
		return p.note(ctx, id, 0, err)
	}
	p.stocker.Restock()
	invitation, err := p.service.Invite(ctx, t)
	if errs.CodeOf(err) == users.CodeNotInvited {
		return p.ledger.Close(ctx, id, p.clock.Now()) // the administrator has a password: nothing is left to do
	}
	if err != nil {
		return p.note(ctx, id, 50, err)
	}
	if err := p.send(ctx, t, invitation); err != nil {
		return p.note(ctx, id, 75, err)
	}
	return p.ledger.Close(ctx, id, p.clock.Now())
}

func (p *provisioner) send(ctx context.Context, t domain.Tenant, i users.Invitation) error {
	m, err := mailx.Render(mailx.InvitationMail, mailx.Invitation{
		Tenant: t.Name, AcceptURL: p.links.Accept(t.Slug, i.Token), Expires: i.Expires,
	})
	if err != nil {
		return err
	}
	m.To = i.Email
	return p.mail.Send(ctx, m)
}

// note keeps why a step failed; the work stays open and is tried again.
func (p *provisioner) note(ctx context.Context, id uuid.UUID, progress int, cause error) error {
	return errors.Join(cause, p.ledger.Progress(ctx, p.problem(id, domain.Running, progress, cause)))
}

func (p *provisioner) problem(id uuid.UUID, s domain.OperationStatus, progress int, cause error) domain.Operation {
	return problem(domain.Operation{TenantID: id, Kind: domain.CreateKind, Status: s, Progress: progress, UpdatedAt: p.clock.Now()}, cause)
}
