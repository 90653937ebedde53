package service_test

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"golang.org/x/crypto/bcrypt"

	"github.com/insulahq/insula/modules/roles"
	"github.com/insulahq/insula/modules/users"
	"github.com/insulahq/insula/modules/users/domain"
	"github.com/insulahq/insula/modules/users/infra"
	"github.com/insulahq/insula/modules/users/service"
	"github.com/insulahq/insula/platform/authn"
	"github.com/insulahq/insula/platform/clock"
	"github.com/insulahq/insula/platform/errs"
	"github.com/insulahq/insula/platform/gate"
	"github.com/insulahq/insula/platform/id"
	"github.com/insulahq/insula/platform/jwtx"
	"github.com/insulahq/insula/platform/mailx"
	"github.com/insulahq/insula/platform/op"
	"github.com/insulahq/insula/platform/optest"
	"github.com/insulahq/insula/platform/pgtest"
	"github.com/insulahq/insula/platform/scope"
	"github.com/insulahq/insula/platform/secret"
	"github.com/insulahq/insula/platform/tenancy"
	"github.com/insulahq/insula/platform/uow"
)

func TestMain(m *testing.M) { pgtest.Main(m) }

const password = "correct horse battery"

var (
	noon      = time.Date(2026, 5, 1, 12, 0, 0, 0, time.UTC)
	lifetimes = users.Lifetimes{Access: 10 * time.Minute, Session: 30 * 24 * time.Hour, Idle: 7 * 24 * time.Hour, Grace: 10 * time.Second}
	origin    = authn.Origin{RequestID: "r1", Addr: netip.MustParseAddr("192.0.2.7"), Client: "test"}
)

// house is one tenant and the process-long parts of the module.
type house struct {
	pgtest.Fixture
	clock    *clock.Manual
	roles    *fakeRoles
	post     *postbox
	mail     *mailx.Recorder
	secrets  *service.Post
	hasher   *countingHasher
	sessions *hookedSessions
	verifier *jwtx.Verifier

	directory *service.Directory
	access    *service.Access
	inviter   *service.Inviter
	founding  *service.Founding
	policies  *policies
	root      secret.Key
	ids       id.System
}

func open(t *testing.T) *house {
	t.Helper()
	root, err := secret.NewKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	key, err := jwtx.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	keys, err := jwtx.NewKeySet(key)
	if err != nil {
		t.Fatal(err)
	}
	h := &house{
		Fixture: pgtest.Tenant(t), clock: clock.At(noon), roles: &fakeRoles{of: map[uuid.UUID][]string{}}, post: &postbox{},
		mail: &mailx.Recorder{}, policies: &policies{users.Policy{Lifetimes: lifetimes}}, root: root,
		hasher:   &countingHasher{Hasher: infra.NewPasswords([]secret.Key{root}, bcrypt.MinCost, 2)},
		sessions: &hookedSessions{Sessions: infra.NewSessions()},
	}
	if h.verifier, err = jwtx.NewVerifier(keys, jwtx.Options{Issuer: "test", Audience: "test", Clock: h.clock}); err != nil {
		t.Fatal(err)
	}
	h.directory = service.NewDirectory(infra.NewUsers(), h.roles, h.clock)
	links := mailx.Links{Invitation: "https://app.test/welcome", Reset: "https://app.test/reset", Email: "https://app.test/email"}
	h.secrets = service.NewPost(h.post, links, root, rand.Reader)
	h.inviter = service.NewInviter(infra.NewOneTimeTokens(), h.secrets, h.clock, rand.Reader)
	issuer := service.NewIssuer(jwtx.NewSigner(keys, "test", "test"), h.sessions, h.policies, root, h.clock, id.System{}, rand.Reader)
	h.access = service.NewAccess(h.directory, service.Guards{
		Sessions: h.sessions, Tokens: infra.NewOneTimeTokens(), Factors: infra.NewSecondFactors(root, rand.Reader),
		Attempts: infra.NewAttempts(), Hasher: h.hasher, Policies: h.policies,
	}, h.secrets, issuer, root, rand.Reader)
	h.founding = service.NewFounding(h.directory, h.inviter, id.System{})
	return h
}

// auth is the service of a stranger's request.
func (h *house) auth(t *testing.T) (*service.Auth, *optest.Records) {
	return h.authOf(t, authn.Caller{Kind: authn.Anonymous, Origin: origin})
}

func (h *house) authOf(t *testing.T, c authn.Caller) (*service.Auth, *optest.Records) {
	r := scope.Request{Tenant: h.Tenant, Caller: c}
	run, records := optest.Runner(t, r, h.Unit(), h.clock)
	return service.NewAuth(r, run, h.access), records
}

func (h *house) users(t *testing.T, c authn.Caller) (*service.Users, *optest.Records) {
	r := scope.Request{Tenant: h.Tenant, Caller: c}
	run, records := optest.Runner(t, r, h.Unit(), h.clock)
	return service.NewUsers(r, run, h.access, h.inviter, id.System{}), records
}

func (h *house) me(t *testing.T, c authn.Caller) (*service.Me, *optest.Records) {
	r := scope.Request{Tenant: h.Tenant, Caller: c}
	run, records := optest.Runner(t, r, h.Unit(), h.clock)
	return service.NewMe(r, run, h.access), records
}

// owner is a caller who manages users and is none of those in the test.
func owner() authn.Caller {
	return authn.Caller{Kind: authn.User, ID: uuid.Must(uuid.NewV7()), Label: "owner@example.com", Origin: origin}
}

// invite adds an invited user and returns the token of the invitation.
func (h *house) invite(t *testing.T, email string) (service.Person, secret.Value) {
	t.Helper()
	s, _ := h.users(t, owner())
	p, err := s.Create(t.Context(), service.NewUser{Email: email, Name: "Ada Lovelace", Roles: []string{"member"}})
	if err != nil {
		t.Fatal(err)
	}
	return p, h.token(t, email)
}

// join adds a user who has accepted an invitation, and returns the tokens of
// the session that began.
func (h *house) join(t *testing.T, email string) (service.Person, service.Tokens) {
	t.Helper()
	p, token := h.invite(t, email)
	s, _ := h.auth(t)
	tokens, err := s.AcceptInvitation(t.Context(), service.Acceptance{Token: token, Password: secret.New(password), Name: "Ada Lovelace"})
	if err != nil {
		t.Fatal(err)
	}
	p.Version++
	return p, tokens
}

// login signs in and fails the test when that does not work.
func (h *house) login(t *testing.T, email string) service.Tokens {
	t.Helper()
	s, _ := h.auth(t)
	in, err := s.Login(t.Context(), service.Credentials{Email: email, Password: secret.New(password)})
	if err != nil {
		t.Fatal(err)
	}
	return in.Tokens
}

// caller is who presents an access token.
func (h *house) caller(t *testing.T, tokens service.Tokens) authn.Caller {
	t.Helper()
	claims, err := h.verifier.Verify(tokens.Access.Reveal())
	if err != nil {
		t.Fatal(err)
	}
	if claims.TenantID != h.Tenant.ID {
		t.Fatalf("a token for tenant %s", claims.TenantID)
	}
	return authn.Caller{Kind: authn.User, ID: claims.Subject, Session: claims.SessionID, Label: "me@example.com", Origin: origin}
}

// live asks the gate whether the session of an access token still counts.
func (h *house) live(t *testing.T, tokens service.Tokens) bool {
	t.Helper()
	var s gate.Session
	h.Read(t, func(tx uow.Tx) (err error) {
		s, err = infra.NewGatekeeper(h.policies, unset{}, h.clock).Session(t.Context(), tx, h.Tenant, h.caller(t, tokens).Session)
		return err
	})
	return s.Live
}

// fakeRoles stands for the roles module: it hands out every role but those it
// is told to refuse.
type fakeRoles struct {
	mu    sync.Mutex
	of    map[uuid.UUID][]string
	deny  error // what every change returns
	found []string
	above bool // owners hold more than whoever asks
	ends  roles.Ends
	asked int // how often Of was
}

func (f *fakeRoles) change(user uuid.UUID, names []string) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.deny == nil {
		f.of[user] = slices.Sorted(slices.Values(names))
	}
	return f.deny
}

func (f *fakeRoles) Set(_ context.Context, _ uow.Tx, _ authn.Caller, user uuid.UUID, names []string, _ roles.Ends) error {
	return f.change(user, names)
}

func (f *fakeRoles) Found(_ context.Context, _ uow.Tx, user uuid.UUID, names []string) error {
	f.found = names
	return f.change(user, names)
}

func (f *fakeRoles) Release(_ context.Context, _ uow.Tx, user uuid.UUID) error {
	return f.change(user, nil)
}

func (f *fakeRoles) Suspendable(context.Context, uow.Tx, uuid.UUID) error { return f.deny }

func (f *fakeRoles) MayManage(_ context.Context, _ uow.Tx, _ authn.Caller, user uuid.UUID) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if slices.Contains(f.of[user], roles.Owner) && f.above {
		return errAbove
	}
	return nil
}

// errAbove is what the roles module answers about users who hold more.
var errAbove = errs.New(errs.Forbidden, "roles.above_you", "You cannot manage a user who holds more than you do.")

func (f *fakeRoles) Holders(_ context.Context, _ uow.Tx, name string) ([]uuid.UUID, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	var all []uuid.UUID
	for user, held := range f.of {
		if slices.Contains(held, name) {
			all = append(all, user)
		}
	}
	return all, nil
}

func (f *fakeRoles) Of(_ context.Context, _ uow.Tx, ids []uuid.UUID) (map[uuid.UUID]roles.Held, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.asked++
	held := map[uuid.UUID]roles.Held{}
	for _, u := range ids {
		held[u] = roles.Held{Names: f.of[u], Ends: f.ends}
	}
	return held, nil
}

var _ roles.Assignments = (*fakeRoles)(nil)

// policies gives every tenant the same.
type policies struct{ all users.Policy }

func (p *policies) Of(tenancy.Tenant) users.Policy { return p.all }

// postbox is an outbox that keeps what is queued until deliver runs it.
type postbox struct {
	mu     sync.Mutex
	queued []queued
}

type queued struct {
	def  op.Def
	args service.Envelope
}

func (p *postbox) Put(_ context.Context, tx uow.Tx, d op.Def, args any) error {
	tx.AfterCommit(func(context.Context) {
		p.mu.Lock()
		defer p.mu.Unlock()
		p.queued = append(p.queued, queued{d, args.(service.Envelope)})
	})
	return nil
}

func (p *postbox) PutAt(ctx context.Context, tx uow.Tx, d op.Def, args any, _ time.Time) error {
	return p.Put(ctx, tx, d, args)
}

func (p *postbox) take() (all []queued) {
	p.mu.Lock()
	defer p.mu.Unlock()
	all, p.queued = p.queued, nil
	return all
}

// deliver does what is queued, and what that queues.
func (h *house) deliver(t *testing.T) {
	t.Helper()
	for work := h.post.take(); len(work) > 0; work = h.post.take() {
		for _, w := range work {
			s, records := h.mailroom(t, w.def)
			do := s.Deliver
			if w.def.Name == service.OfferReset.Name {
				do = s.OfferReset
			}
			if err := do(t.Context(), w.args); err != nil {
				t.Fatal(err)
			}
			only(t, records)
		}
	}
}

func (h *house) mailroom(t *testing.T, d op.Def) (*service.Mailroom, *optest.Records) {
	t.Helper()
	r := scope.Request{Tenant: h.Tenant, Caller: authn.Caller{Kind: authn.Job, Label: d.Name}}
	run, records := optest.Runner(t, r, h.Unit(), h.clock)
	return service.NewMailroom(r, run, h.directory, infra.NewOneTimeTokens(), h.secrets, h.mail, rand.Reader), records
}

// token is the one-time token of the newest mail to an address.
func (h *house) token(t *testing.T, email string) secret.Value {
	t.Helper()
	h.deliver(t)
	m, ok := h.mail.Last(email)
	if !ok {
		t.Fatalf("no mail to %s", email)
	}
	_, rest, _ := strings.Cut(m.Text, "#")
	fragment, _, _ := strings.Cut(rest, "\n")
	values, err := url.ParseQuery(fragment)
	if err != nil || values.Get("token") == "" || values.Get("tenant") != h.Tenant.Slug {
		t.Fatalf("no token in the mail:\n%s", m.Text)
	}
	return secret.New(values.Get("token"))
}

// subjects are the subjects of all mail to an address so far.
func (h *house) subjects(t *testing.T, email string) (all []string) {
	t.Helper()
	h.deliver(t)
	for _, m := range h.mail.Sent() {
		if m.To == email {
			all = append(all, m.Subject)
		}
	}
	return all
}

// countingHasher counts comparisons, which are what takes time in a login.
type countingHasher struct {
	domain.Hasher
	mu       sync.Mutex
	compared int
	during   func() // runs within the next comparison, when set
}

func (h *countingHasher) Reserve(ctx context.Context, tenant uuid.UUID) (domain.HashSlot, error) {
	slot, err := h.Hasher.Reserve(ctx, tenant)
	return countingSlot{slot, h}, err
}

func (h *countingHasher) count() int {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.compared
}

type countingSlot struct {
	domain.HashSlot
	hasher *countingHasher
}

func (s countingSlot) Matches(stored, password secret.Value) bool {
	s.hasher.mu.Lock()
	s.hasher.compared++
	during := s.hasher.during
	s.hasher.during = nil
	s.hasher.mu.Unlock()
	if during != nil {
		during()
	}
	return s.HashSlot.Matches(stored, password)
}

// hookedSessions runs something when a session has been inserted and is not
// committed yet.
type hookedSessions struct {
	domain.Sessions
	inserted func() // once, when set
}

func (s *hookedSessions) Insert(ctx context.Context, tx uow.Tx, session domain.Session) error {
	err := s.Sessions.Insert(ctx, tx, session)
	if inserted := s.inserted; inserted != nil {
		s.inserted = nil
		inserted()
	}
	return err
}

// only returns the single entry of a trail and fails the test when a secret
// stands in it.
func only(t *testing.T, records *optest.Records, secrets ...secret.Value) op.Entry {
	t.Helper()
	all := records.Entries()
	if len(all) != 1 {
		t.Fatalf("%d entries in the trail: %+v", len(all), all)
	}
	text, err := json.Marshal(map[string]any{"before": all[0].Before, "after": all[0].After, "target": all[0].Target})
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range append(secrets, secret.New(password), secret.New("bcrypt")) {
		if strings.Contains(string(text), s.Reveal()) {
			t.Errorf("the trail holds a secret: %s", text)
		}
	}
	return all[0]
}

// unset are the settings of tenants that never set any.
type unset struct{}

func (unset) Learn(context.Context, uow.Tx, tenancy.Tenant, int64) error { return nil }
