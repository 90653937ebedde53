package service

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"time"

	"github.com/insulahq/insula/modules/users"
	"github.com/insulahq/insula/modules/users/domain"
	"github.com/insulahq/insula/platform/jobs"
	"github.com/insulahq/insula/platform/mailx"
	"github.com/insulahq/insula/platform/op"
	"github.com/insulahq/insula/platform/secret"
	"github.com/insulahq/insula/platform/tenancy"
	"github.com/insulahq/insula/platform/uow"
)

// Post queues mail in the unit of work that asks for it: the mail goes out
// exactly if the change it tells of is durable, also when the process ends in
// between.
type Post struct {
	outbox jobs.Outbox
	links  mailx.Links
	key    secret.Key
	random io.Reader
}

// postLabel names the purpose of the key that seals queued mail.
const postLabel = "insula/post/v1"

// NewPost makes the post of a process. All replicas need the same root key.
func NewPost(outbox jobs.Outbox, links mailx.Links, root secret.Key, random io.Reader) *Post {
	return &Post{outbox: outbox, links: links, key: root.DeriveKey(postLabel), random: random}
}

// Envelope holds secrets of an operation that are stored for a while: those
// of queued work, which has one-time tokens and addresses, and those of an
// answer that is kept for a request that comes again. They are sealed, so
// that nothing stores them in the clear.
type Envelope struct {
	Sealed []byte `json:"sealed"`
}

func (p *Post) seal(d op.Def, content any) (Envelope, error) {
	text, err := json.Marshal(content)
	if err != nil {
		return Envelope{}, fmt.Errorf("content of %s: %w", d.Name, err)
	}
	sealed, err := p.key.Seal(p.random, text, []byte(d.Name))
	return Envelope{Sealed: sealed}, err
}

// put queues work.
func (p *Post) put(ctx context.Context, tx uow.Tx, d op.Def, content any) error {
	e, err := p.seal(d, content)
	if err != nil {
		return err
	}
	return p.outbox.Put(ctx, tx, d, e)
}

// unseal reads what seal has sealed for the same operation.
func (p *Post) unseal(d op.Def, e Envelope, content any) error {
	text, err := p.key.Open(e.Sealed, []byte(d.Name))
	if err != nil {
		return jobs.Hopeless(fmt.Errorf("%s: was the secret key of the configuration changed? %w", d.Name, err))
	}
	return json.Unmarshal(text, content)
}

// send queues a mail.
func (p *Post) send(ctx context.Context, tx uow.Tx, to domain.Email, name string, data any) error {
	m, err := mailx.Render(name, data)
	if err != nil {
		return err
	}
	m.To = to.String()
	return p.put(ctx, tx, DeliverMail, m)
}

func (p *Post) invitation(ctx context.Context, tx uow.Tx, t tenancy.Tenant, inviter string, u domain.User, i users.Invitation) error {
	return p.send(ctx, tx, u.Email, mailx.InvitationMail, mailx.Invitation{
		Tenant: t.Name, Inviter: inviter, AcceptURL: p.links.Accept(t.Slug, i.Token), Expires: i.Expires,
	})
}

func (p *Post) reset(ctx context.Context, tx uow.Tx, t tenancy.Tenant, to domain.Email, token secret.Value, expires time.Time) error {
	return p.send(ctx, tx, to, mailx.ResetMail, mailx.Confirmation{Tenant: t.Name, URL: p.links.ResetPassword(t.Slug, token), Expires: expires})
}

func (p *Post) confirmEmail(ctx context.Context, tx uow.Tx, t tenancy.Tenant, to domain.Email, token secret.Value, expires time.Time) error {
	return p.send(ctx, tx, to, mailx.EmailMail, mailx.Confirmation{Tenant: t.Name, URL: p.links.ConfirmEmail(t.Slug, token), Expires: expires})
}

// notice tells a user what happened to the account, at the address it had.
func (p *Post) notice(ctx context.Context, tx uow.Tx, t tenancy.Tenant, u domain.User, what mailx.Event) error {
	return p.send(ctx, tx, u.Email, mailx.NoticeMail, mailx.Notice{Tenant: t.Name, Event: what})
}
