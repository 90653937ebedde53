package wiregen_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"golang.org/x/crypto/bcrypt"

	tenantsapi "github.com/insulahq/insula/modules/tenants/api"
	tenantsdomain "github.com/insulahq/insula/modules/tenants/domain"
	"github.com/insulahq/insula/platform/clock"
	"github.com/insulahq/insula/platform/config"
	"github.com/insulahq/insula/platform/httpx"
	"github.com/insulahq/insula/platform/id"
	"github.com/insulahq/insula/platform/jobs"
	"github.com/insulahq/insula/platform/mailx"
	"github.com/insulahq/insula/platform/pg"
	"github.com/insulahq/insula/platform/pgtest"
	"github.com/insulahq/insula/platform/s3x/s3test"
	"github.com/insulahq/insula/platform/tenancy"
	wiregen "github.com/insulahq/insula/wire_gen"
)

func TestMain(m *testing.M) { pgtest.Main(m) }

// What every house of this package is configured with.
const (
	publicURL  = "https://api.insula.test"
	baseDomain = "insula.test"
)

var (
	noon = time.Date(2026, 5, 1, 12, 0, 0, 0, time.UTC)
	// keys are shared by all houses, which are replicas of one installation:
	// they stand on one database and read each other's tokens.
	keys = sync.OnceValue(func() (pair struct{ root, pepper string }) {
		pair.root, pair.pepper = drawKey(), drawKey()
		return pair
	})
)

func drawKey() string {
	raw := make([]byte, 32)
	_, _ = rand.Read(raw) // never fails: Go ends the process instead
	return base64.StdEncoding.EncodeToString(raw)
}

// house is one process of the whole product, served in memory, with a clock,
// a mailbox, an object store and a log of its own. Its database is that of
// the package, so two houses are two nodes.
type house struct {
	*wiregen.Process
	db     pgtest.DB
	server *httpx.Server
	clock  *clock.Manual
	mail   *mailbox
	blobs  *s3test.Memory
	log    *logbook
	ruled  *tenant // the operator's tenant, of a house on a database of its own
}

// newHouse starts a process that ends with the test; settings change its
// configuration.
func newHouse(t *testing.T, settings ...func(*config.Config)) *house {
	t.Helper()
	h := &house{db: pgtest.Database(t), clock: clock.At(noon), mail: newMailbox(), log: &logbook{}}
	h.blobs = s3test.NewMemory(t, h.clock)
	c := settingsOf(t, h.db)
	for _, set := range settings {
		set(&c)
	}
	p, cleanup, err := wiregen.NewTestProcess(t.Context(), c, h.log, wiregen.Doubles{
		Clock: h.clock, IDs: id.System{}, Random: rand.Reader, Blobs: h.blobs, Mail: h.mail,
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(cleanup)
	h.Process = p
	if h.server, err = wiregen.NewServer(p, "test"); err != nil {
		t.Fatal(err)
	}
	h.runQueuedWork(t)
	return h
}

// houseOn is newHouse on a database of its own, with the operator's tenant.
func houseOn(t *testing.T, db pgtest.DB, settings ...func(*config.Config)) *house {
	t.Helper()
	h := newHouse(t, append(settings, func(c *config.Config) {
		c.Database.URL, c.Database.MigratorURL = db.AppURL, db.MigratorURL
	})...)
	h.db = db
	h.ruled = h.found(t)
	return h
}

// runQueuedWork does what this house queues, in place of the job queue, which
// houses of one database would share: mail would end in another test's box.
func (h *house) runQueuedWork(t *testing.T) {
	t.Helper()
	handlers := map[string]jobs.Handler{}
	for _, j := range wiregen.Handlers(h.Process) {
		handlers[j.Def.Name] = j
	}
	ctx, stop := context.WithCancel(context.WithoutCancel(t.Context()))
	done := make(chan struct{})
	go func() {
		defer close(done)
		for {
			select {
			case <-ctx.Done():
				return
			case id := <-h.Outbox.Signals():
				h.handOver(ctx, t, id, handlers)
			}
		}
	}()
	t.Cleanup(func() { stop(); <-done })
}

func (h *house) handOver(ctx context.Context, t *testing.T, id uuid.UUID, handlers map[string]jobs.Handler) {
	at, err := h.Directory.ByID(ctx, id)
	if err != nil {
		return // gone, or the test has ended
	}
	var work []pg.Work
	_, err = h.Outbox.Hand(ctx, at, func(_ context.Context, queued []pg.Work) error {
		work = queued
		return nil
	})
	for _, w := range work {
		if err == nil {
			err = handlers[w.Operation].Run(ctx, at, w.Args)
		}
	}
	if err != nil && ctx.Err() == nil {
		t.Errorf("queued work: %v", err)
	}
}

// settingsOf is a configuration that slows no test down: cheap hashes, and
// limits that nobody reaches.
func settingsOf(t *testing.T, db pgtest.DB) config.Config {
	t.Helper()
	there := pgtest.Elsewhere(t)
	c, err := config.Load([]string{
		"INSULA_PLACEMENTS=" + second + " " + there.AppURL.Reveal() + " " + there.MigratorURL.Reveal(),
		"DATABASE_URL=" + db.AppURL.Reveal(), "INSULA_MIGRATOR_URL=" + db.MigratorURL.Reveal(), "INSULA_DB_MAX_CONNS=4",
		"INSULA_PUBLIC_URL=" + publicURL, "INSULA_BASE_DOMAIN=" + baseDomain,
		"INSULA_INVITATION_URL=https://app.insula.test/welcome",
		"INSULA_SECRET_KEY=" + keys().root, "INSULA_PASSWORD_PEPPER=" + keys().pepper,
		"INSULA_RATE_TENANT=1000000", "INSULA_RATE_USER=1000000", "INSULA_RATE_LOGIN=1000000",
		"S3_BUCKET=test", "SMTP_URL=smtp://127.0.0.1:1?tls=none", "INSULA_MAIL_FROM=Insula <no-reply@insula.test>",
		"INSULA_LOG_LEVEL=debug", "INSULA_SPARE_SCHEMAS=2",
	})
	if err != nil {
		t.Fatal(err)
	}
	c.Security.BcryptCost = bcrypt.MinCost // less than a setting may be
	return c
}

// tenant is a tenant that is served, with its first owner signed in.
type tenant struct {
	h       *house
	id      uuid.UUID
	slug    string
	schema  string
	owner   person
	secrets *secrets
}

// person is a user who is signed in.
type person struct {
	id       uuid.UUID
	email    string
	password string
	token    string // access token
	refresh  string
}

// The landlord and its owner are the same for all houses of the package.
var landlord struct {
	sync.Mutex
	founded *tenant
}

// operator is the operator's tenant as this house sees it, with a session of
// its owner that belongs to this test.
func (h *house) operator(t *testing.T) *tenant {
	t.Helper()
	if h.ruled != nil {
		return h.ruled
	}
	landlord.Lock()
	defer landlord.Unlock()
	if landlord.founded == nil {
		landlord.founded = h.found(t)
	}
	here := *landlord.founded
	here.h = h
	here.owner.signIn(t, &here)
	return &here
}

func (h *house) found(t *testing.T) *tenant {
	t.Helper()
	const email = "operator@example.com"
	made, err := tenantsdomain.Register(h.IDs.New(), "landlord", "Landlord", tenancy.Landlord, email, h.Clock.Now())
	if err != nil {
		t.Fatal(err)
	}
	if made, err = h.Provisioning.Found(t.Context(), made); err != nil {
		t.Fatal(err)
	}
	invitation, err := h.Provisioning.Invite(t.Context(), made)
	if err != nil {
		t.Fatal(err)
	}
	n := &tenant{h: h, id: made.ID, slug: made.Slug, schema: made.Schema, secrets: &secrets{}}
	n.owner = n.accept(t, email, invitation.Token.Reveal())
	return n
}

// tenant makes a new tenant as the operator's owner does, over HTTP, and
// accepts the invitation that its first owner gets by mail.
func (h *house) tenant(t *testing.T) *tenant { return h.tenantIn(t, tenancy.MainPlacement) }

// tenantIn is tenant in a placement.
func (h *house) tenantIn(t *testing.T, placement string) *tenant {
	t.Helper()
	slug := "t" + strings.ReplaceAll(uuid.NewString(), "-", "")
	email := "owner@" + slug + ".example"
	answer := h.operator(t).as().post(t, "/v1/tenants", fmt.Sprintf(`{"slug":%q,"name":"Test","admin_email":%q,"placement":%q}`, slug, email, placement))
	made := decode[tenantsapi.Tenant](t, answer, http.StatusCreated, http.StatusAccepted)
	if answer.Code == http.StatusAccepted { // a slow machine: join the work
		if err := <-h.Provisioner.Start(made.ID); err != nil {
			t.Fatal(err)
		}
	}
	registered, err := h.Directory.ByID(t.Context(), made.ID)
	if err != nil {
		t.Fatal(err)
	}
	n := &tenant{h: h, id: made.ID, slug: slug, schema: registered.Schema, secrets: &secrets{}}
	n.owner = n.accept(t, email, h.mail.token(t, email))
	return n
}

// accept chooses a password for an invited person.
func (n *tenant) accept(t *testing.T, email, token string) person {
	t.Helper()
	p := person{email: email, password: "correct horse " + uuid.NewString()}
	n.secrets.add(p.password, token)
	answer := n.stranger().post(t, "/v1/auth/invitations/accept",
		fmt.Sprintf(`{"token":%q,"password":%q,"name":"Ada Lovelace"}`, token, p.password))
	p.hold(t, n, answer)
	return p
}

// user adds a user with these roles, who accepts the invitation.
func (n *tenant) user(t *testing.T, roles ...string) person {
	t.Helper()
	email := uuid.NewString() + "@example.com"
	n.invite(t, email, roles...)
	return n.accept(t, email, n.h.mail.token(t, email))
}

// signIn begins another session of the same user.
func (p *person) signIn(t *testing.T, n *tenant) {
	t.Helper()
	p.hold(t, n, n.login(t, p.email, p.password))
}

func (n *tenant) login(t *testing.T, email, password string) *response {
	t.Helper()
	return n.stranger().post(t, "/v1/auth/login", fmt.Sprintf(`{"email":%q,"password":%q}`, email, password))
}

// logbook keeps the log of a process, for tests that read it.
type logbook struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (l *logbook) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

func (l *logbook) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

// mailbox keeps mail and wakes those who wait for some.
type mailbox struct {
	mailx.Recorder
	mu      sync.Mutex
	arrived chan struct{} // closed with the next mail
}

func newMailbox() *mailbox { return &mailbox{arrived: make(chan struct{})} }

func (m *mailbox) Send(ctx context.Context, message mailx.Message) error {
	err := m.Recorder.Send(ctx, message)
	m.mu.Lock()
	defer m.mu.Unlock()
	close(m.arrived)
	m.arrived = make(chan struct{})
	return err
}

func (m *mailbox) next() <-chan struct{} {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.arrived
}

// patience is how long a test waits for what must happen.
const patience = 30 * time.Second

// token waits for a mail to this address and takes the token of its link.
func (m *mailbox) token(t *testing.T, to string) string {
	t.Helper()
	deadline := time.After(patience)
	for {
		arrived := m.next()
		if message, ok := m.Last(to); ok {
			return tokenIn(t, message.Text)
		}
		select {
		case <-arrived:
		case <-deadline:
			t.Fatalf("no mail to %s", to)
		}
	}
}

// tokenOf waits for a mail with a subject that begins like this and takes the
// token of its link.
func (m *mailbox) tokenOf(t *testing.T, to, subject string) string {
	t.Helper()
	deadline := time.After(patience)
	for {
		arrived := m.next()
		for _, message := range slices.Backward(m.Sent()) {
			if message.To == to && strings.HasPrefix(message.Subject, subject) {
				return tokenIn(t, message.Text)
			}
		}
		select {
		case <-arrived:
		case <-deadline:
			t.Fatalf("no mail %q to %s", subject, to)
		}
	}
}

func tokenIn(t *testing.T, text string) string {
	t.Helper()
	_, rest, _ := strings.Cut(text, "#")
	fragment, _, _ := strings.Cut(rest, "\n")
	values, err := url.ParseQuery(strings.TrimSpace(fragment))
	if err != nil || values.Get("token") == "" {
		t.Fatalf("no token in the mail:\n%s", text)
	}
	return values.Get("token")
}

// secrets are texts that must show up nowhere but where they are used.
type secrets struct {
	mu  sync.Mutex
	all map[string]bool
}

func (s *secrets) add(texts ...string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.all == nil {
		s.all = map[string]bool{}
	}
	for _, text := range texts {
		s.all[text] = true
	}
}

// in lists the secrets that a text holds.
func (s *secrets) in(text string) (found []string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for secret := range s.all {
		if slices.ContainsFunc(spellings(secret), func(spelling string) bool { return strings.Contains(text, spelling) }) {
			found = append(found, secret)
		}
	}
	return found
}

// spellings are the forms in which a secret could be kept: as it is, or as
// bytes, which PostgreSQL shows in hexadecimal, those of the text or those
// that the text stands for.
func spellings(secret string) []string {
	all := []string{secret, hex.EncodeToString([]byte(secret[:min(len(secret), 24)]))}
	if raw, err := base64.RawURLEncoding.DecodeString(secret); err == nil {
		all = append(all, hex.EncodeToString(raw))
	}
	return all
}
