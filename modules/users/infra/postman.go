package infra

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"github.com/insulahq/insula/modules/users"
	"github.com/insulahq/insula/platform/mailx"
	"github.com/insulahq/insula/platform/tenancy"
)

const (
	// deliveryTimeout bounds one mail.
	deliveryTimeout = 30 * time.Second
	// deliveriesAtOnce bounds the connections to the mail server; further mails
	// wait for their turn.
	deliveriesAtOnce = 4
)

// Postman implements service.Postman: it delivers in the background, so that
// a request never waits for a mail server.
type Postman struct {
	sender mailx.Sender
	links  mailx.Links
	log    *slog.Logger
	group  sync.WaitGroup
	turns  chan struct{}
}

// NewPostman makes the postman of a process. Its cleanup waits for what is
// under way.
func NewPostman(sender mailx.Sender, links mailx.Links, log *slog.Logger) (*Postman, func()) {
	p := &Postman{sender: sender, links: links, log: log, turns: make(chan struct{}, deliveriesAtOnce)}
	return p, p.group.Wait
}

// Deliver implements service.Postman.
func (p *Postman) Deliver(ctx context.Context, t tenancy.Tenant, inviter string, i users.Invitation) {
	ctx = context.WithoutCancel(ctx) // the request ends before the mail is out
	p.group.Go(func() {
		p.turns <- struct{}{}
		defer func() { <-p.turns }()
		ctx, cancel := context.WithTimeout(ctx, deliveryTimeout)
		defer cancel()
		if err := p.send(ctx, t, inviter, i); err != nil {
			p.log.ErrorContext(ctx, "invitation not delivered", "tenant", t.Slug, "error", err)
		}
	})
}

func (p *Postman) send(ctx context.Context, t tenancy.Tenant, inviter string, i users.Invitation) error {
	m, err := mailx.Render(mailx.InvitationMail, mailx.Invitation{
		Tenant: t.Name, Inviter: inviter, AcceptURL: p.links.Accept(t.Slug, i.Token), Expires: i.Expires,
	})
	if err != nil {
		return err
	}
	m.To = i.Email
	return p.sender.Send(ctx, m)
}
