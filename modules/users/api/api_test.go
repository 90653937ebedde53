package api_test

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"golang.org/x/crypto/bcrypt"

	"github.com/insulahq/insula/modules/roles"
	"github.com/insulahq/insula/modules/users"
	"github.com/insulahq/insula/modules/users/api"
	"github.com/insulahq/insula/modules/users/infra"
	"github.com/insulahq/insula/modules/users/service"
	"github.com/insulahq/insula/platform/authn"
	"github.com/insulahq/insula/platform/clock"
	"github.com/insulahq/insula/platform/gate"
	"github.com/insulahq/insula/platform/httpx"
	"github.com/insulahq/insula/platform/id"
	"github.com/insulahq/insula/platform/jwtx"
	"github.com/insulahq/insula/platform/mailx"
	"github.com/insulahq/insula/platform/op"
	"github.com/insulahq/insula/platform/optest"
	"github.com/insulahq/insula/platform/page"
	"github.com/insulahq/insula/platform/pgtest"
	"github.com/insulahq/insula/platform/redisx"
	"github.com/insulahq/insula/platform/scope"
	"github.com/insulahq/insula/platform/secret"
	"github.com/insulahq/insula/platform/tenancy"
	"github.com/insulahq/insula/platform/uow"
)

func TestMain(m *testing.M) { pgtest.Main(m) }

const password = "correct horse battery"

// house serves the module's routes for one tenant, behind the real gate.
type house struct {
	t      *testing.T
	server *httpx.Server
	tenant tenancy.Tenant
	token  string // sent as Bearer when set
}

func open(t *testing.T) *house {
	t.Helper()
	f := pgtest.Tenant(t)
	root, err := secret.NewKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	now, ids, log := clock.System{}, id.System{}, slog.New(slog.DiscardHandler)
	signer, verifier := tokens(t, now)
	directory := service.NewDirectory(infra.NewUsers(), noRoles{}, now)
	post := service.NewPost(noOutbox{}, mailx.Links{}, root, rand.Reader)
	inviter := service.NewInviter(infra.NewOneTimeTokens(), post, now, rand.Reader)
	issuer := service.NewIssuer(signer, infra.NewSessions(), lenient{}, root, now, ids, rand.Reader)
	access := service.NewAccess(directory, service.Guards{
		Sessions: infra.NewSessions(), Tokens: infra.NewOneTimeTokens(), Factors: infra.NewSecondFactors(root, rand.Reader),
		Attempts: infra.NewAttempts(), Hasher: infra.NewPasswords([]secret.Key{root}, bcrypt.MinCost, 2), Policies: lenient{},
	}, post, issuer, root, rand.Reader)
	run := func(r scope.Request) *op.Runner {
		return op.NewRunner(r, f.Unit(), optest.Allow{}, &optest.Records{}, now, ids, log)
	}
	redis, err := redisx.Open(secret.Value{}, now)
	if err != nil {
		t.Fatal(err)
	}
	plenty := redisx.Limit{Rate: 1000, Burst: 1000, Period: time.Minute}
	gatekeeper := infra.NewGatekeeper(lenient{}, unset{}, now)
	server := httpx.NewServer(httpx.Options{
		Gate:    gate.New(verifier, one{f.Tenant}, f.Pool, gatekeeper, gatekeeper, nil, grants{}, unset{}, now, nil),
		Runner:  run,
		Limiter: redisx.NewLimiter(redis, "test", now, nil), Limits: httpx.Limits{Tenant: func(tenancy.Tenant) redisx.Limit { return plenty }, User: plenty, Network: plenty, Proof: plenty},
		Log: log, IDs: ids, Keys: func(http.ResponseWriter, *http.Request) {},
		Version: "test", MaxBodyBytes: 4096, RequestTimeout: time.Minute,
	})
	api.New(api.Services{
		Users: func(r scope.Request) *service.Users { return service.NewUsers(r, run(r), access, inviter, ids) },
		Auth:  func(r scope.Request) *service.Auth { return service.NewAuth(r, run(r), access) },
		Me:    func(r scope.Request) *service.Me { return service.NewMe(r, run(r), access) },
		APIKeys: func(r scope.Request) *service.APIKeys {
			return service.NewAPIKeys(r, run(r), infra.NewAPIKeys(), post, now, ids, rand.Reader)
		},
	}, page.NewCodec([]byte("a key of a test, which is secret"))).Register(server.Router())
	if err := server.Seal(service.Operations); err != nil {
		t.Fatal(err)
	}
	h := &house{t: t, server: server, tenant: f.Tenant}
	h.found(f, service.NewFounding(directory, inviter, ids))
	return h
}

func tokens(t *testing.T, c clock.Clock) (*jwtx.Signer, *jwtx.Verifier) {
	t.Helper()
	key, err := jwtx.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	keys, err := jwtx.NewKeySet(key)
	if err != nil {
		t.Fatal(err)
	}
	v, err := jwtx.NewVerifier(keys, jwtx.Options{Issuer: "test", Audience: "test", Clock: c, Leeway: time.Second})
	if err != nil {
		t.Fatal(err)
	}
	return jwtx.NewSigner(keys, "test", "test"), v
}

// found makes the first administrator and signs them in.
func (h *house) found(f pgtest.Fixture, founding *service.Founding) {
	h.t.Helper()
	var i users.Invitation
	f.Write(h.t, func(tx uow.Tx) (err error) {
		if err = founding.Seed(h.t.Context(), tx, h.tenant, "owner@example.com"); err != nil {
			return err
		}
		i, err = founding.Invite(h.t.Context(), tx, "owner@example.com")
		return err
	})
	h.token = h.do("POST", "/v1/auth/invitations/accept", "",
		`{"token":"`+i.Token.Reveal()+`","password":"`+password+`","name":"Olga"}`).want(200).text("access_token")
}

// answer is an answer with its body read as JSON.
type answer struct {
	t *testing.T
	*httptest.ResponseRecorder
	what string
	body map[string]any
}

// do sends a request; header is "Name: value" or empty.
func (h *house) do(method, path, header, body string) answer {
	h.t.Helper()
	req := httptest.NewRequest(method, path, strings.NewReader(body))
	req.Header.Set("X-Tenant", h.tenant.Slug)
	if body != "" {
		req.Header.Set("Content-Type", "application/json")
	}
	if h.token != "" {
		req.Header.Set("Authorization", "Bearer "+h.token)
	}
	if name, value, ok := strings.Cut(header, ": "); ok {
		req.Header.Set(name, value)
	}
	a := answer{t: h.t, ResponseRecorder: httptest.NewRecorder(), what: method + " " + path}
	h.server.ServeHTTP(a.ResponseRecorder, req)
	if a.Body.Len() > 0 {
		if err := json.Unmarshal(a.Body.Bytes(), &a.body); err != nil {
			h.t.Fatalf("%s answers %q: %v", a.what, a.Body, err)
		}
	}
	return a
}

func (a answer) want(status int) answer {
	a.t.Helper()
	if a.Code != status {
		a.t.Fatalf("%s answers %d %s, want %d", a.what, a.Code, a.Body, status)
	}
	return a
}

func (a answer) text(field string) string {
	a.t.Helper()
	s, ok := a.body[field].(string)
	if !ok {
		a.t.Fatalf("%s answers %v: no text %s", a.what, a.body, field)
	}
	return s
}

func TestManagingUsers(t *testing.T) {
	t.Parallel()
	h := open(t)
	created := h.do("POST", "/v1/users", "", `{"email":"Ada@example.com","name":"Ada","roles":["member"]}`).want(201)
	path, etag := created.Header().Get("Location"), created.Header().Get("ETag")
	if path != "/v1/users/"+created.text("id") || etag != `"v1"` || created.text("status") != "invited" {
		t.Errorf("created at %s, %s: %v", path, etag, created.body)
	}
	if _, hidden := created.body["password_hash"]; hidden || len(created.body) != 10 {
		t.Errorf("a user is shown as %v", created.body)
	}
	h.do("GET", path, "", "").want(200)
	h.do("GET", path, "If-None-Match: "+etag, "").want(304)
	h.do("PATCH", path, "", `{"name":"Ada King"}`).want(428)
	h.do("PATCH", path, `If-Match: "v7"`, `{"name":"Ada King"}`).want(412)
	changed := h.do("PATCH", path, "If-Match: "+etag, `{"name":"Ada King"}`).want(200)
	if changed.text("name") != "Ada King" || changed.text("email") != "Ada@example.com" || !strings.HasPrefix(changed.Header().Get("ETag"), `"v2`) {
		t.Errorf("changed to %v", changed.body)
	}
	h.do("PUT", path+"/roles", `If-Match: "v2"`, `{"roles":[]}`).want(200)
	h.do("POST", path+"/suspend", "", "").want(200)
	h.do("POST", path+"/suspend", "", "").want(409)
	h.do("POST", path+"/resume", "", "").want(200)
	h.do("DELETE", path, "", "").want(428)
	h.do("DELETE", path, "If-Match: *", "").want(204)
	h.do("GET", path, "", "").want(404)
	h.do("DELETE", path, "If-Match: *", "").want(404)
}

func TestWrongInputNamesTheField(t *testing.T) {
	t.Parallel()
	h := open(t)
	for _, tc := range []struct {
		method, path, body string
		status             int
		pointer            string
	}{
		{"POST", "/v1/users", `{"email":"nobody","name":"Ada"}`, 422, "#/email"},
		{"POST", "/v1/users", `{"email":"a@example.com","name":"\u0000"}`, 422, "#/name"},
		{"POST", "/v1/users", `{"email":"a@example.com","name":"Ada","admin":true}`, 422, "#/admin"},
		{"POST", "/v1/users", `{"email":"a@example.com","name":7}`, 422, "#/name"},
		{"POST", "/v1/users", `{"email":"OWNER@example.com","name":"Ada"}`, 409, "#/email"},
		{"GET", "/v1/users?status=gone", "", 422, "query.status"},
		{"GET", "/v1/users?cursor=x", "", 422, "query.cursor"},
		{"GET", "/v1/users/1", "", 422, "path.id"},
		{"PUT", "/v1/me/password", `{"current":"wrong","new":"` + password + `!"}`, 422, "#/current"},
		{"PUT", "/v1/me/password", `{"current":"` + password + `","new":"short"}`, 422, "#/new"},
	} {
		a := h.do(tc.method, tc.path, "", tc.body).want(tc.status)
		if !strings.Contains(a.Body.String(), `"pointer":"`+tc.pointer+`"`) || strings.Contains(a.Body.String(), password) {
			t.Errorf("%s %s %s answers %s", tc.method, tc.path, tc.body, a.Body)
		}
	}
	if all := h.do("GET", "/v1/users", "", "").want(200); len(all.body["items"].([]any)) != 1 {
		t.Errorf("something was stored: %v", all.body)
	}
}

func TestListsArePaged(t *testing.T) {
	t.Parallel()
	h := open(t)
	for _, name := range []string{"ada", "abe", "bob"} {
		h.do("POST", "/v1/users", "", `{"email":"`+name+`@example.com","name":"X"}`).want(201)
	}
	first := h.do("GET", "/v1/users?limit=1&email=A&status=invited", "", "").want(200)
	second := h.do("GET", "/v1/users?limit=1&email=a&status=invited&cursor="+first.text("next_cursor"), "", "").want(200)
	var emails []string
	for _, a := range []answer{first, second} {
		for _, item := range a.body["items"].([]any) {
			emails = append(emails, item.(map[string]any)["email"].(string))
		}
	}
	if strings.Join(emails, " ") != "abe@example.com ada@example.com" || second.body["next_cursor"] != nil {
		t.Errorf("listed %v, then %v", emails, second.body["next_cursor"])
	}
	h.do("GET", "/v1/users?limit=1&email=b&cursor="+first.text("next_cursor"), "", "").want(422)
}

func TestSigningInAndOut(t *testing.T) {
	t.Parallel()
	h := open(t)
	h.token = ""
	good := `{"email":"owner@example.com","password":"` + password + `"}`
	login := h.do("POST", "/v1/auth/login", "", good).want(200)
	if login.text("token_type") != "Bearer" || login.body["expires_in"] != 600.0 || login.Header().Get("Cache-Control") != "no-store" {
		t.Errorf("login answers %v %v", login.body, login.Header())
	}
	wrong := h.do("POST", "/v1/auth/login", "", `{"email":"owner@example.com","password":"wrong"}`).want(401)
	unknown := h.do("POST", "/v1/auth/login", "", `{"email":"nobody@example.com","password":"wrong"}`).want(401)
	if wrong.text("detail") != unknown.text("detail") || wrong.text("code") != "users.credentials" || unknown.text("code") != "users.credentials" {
		t.Errorf("%v differs from %v", wrong.body, unknown.body)
	}
	h.do("GET", "/v1/me", "", "").want(401)

	next := h.do("POST", "/v1/auth/refresh", "", `{"refresh_token":"`+login.text("refresh_token")+`"}`).want(200)
	h.token = next.text("access_token")
	me := h.do("GET", "/v1/me", "", "").want(200)
	if me.text("email") != "owner@example.com" {
		t.Errorf("I am %v", me.body)
	}
	h.do("PATCH", "/v1/me", "If-Match: "+me.Header().Get("ETag"), `{"name":"Olga B."}`).want(200)
	h.do("PUT", "/v1/me/password", "", `{"current":"`+password+`","new":"`+password+`!"}`).want(204)
	sessions := h.do("GET", "/v1/me/sessions", "", "").want(200).body["items"].([]any)
	if len(sessions) != 1 || sessions[0].(map[string]any)["current"] != true {
		t.Errorf("sessions %v", sessions)
	}
	h.do("DELETE", "/v1/me/sessions/"+uuid.NewString(), "", "").want(404)
	h.do("POST", "/v1/auth/logout", "", "").want(204)
	h.do("GET", "/v1/me", "", "").want(401)
	h.token = ""
	h.do("POST", "/v1/auth/refresh", "", `{"refresh_token":"`+next.text("refresh_token")+`"}`).want(401)
}

// one is a directory of a single tenant.
type one struct{ tenant tenancy.Tenant }

func (o one) Known(id uuid.UUID) (tenancy.Tenant, bool) { return o.tenant, id == o.tenant.ID }

func (o one) ByID(_ context.Context, id uuid.UUID) (tenancy.Tenant, error) {
	if id != o.tenant.ID {
		return tenancy.Tenant{}, tenancy.ErrUnknown
	}
	return o.tenant, nil
}

func (o one) BySlug(_ context.Context, slug string) (tenancy.Tenant, error) {
	if slug != o.tenant.Slug {
		return tenancy.Tenant{}, tenancy.ErrUnknown
	}
	return o.tenant, nil
}

// grants lets everybody list users, and nothing else.
type grants struct{}

func (grants) Grants(context.Context, uow.Tx, tenancy.Tenant, uuid.UUID, int64) (*authn.Grants, error) {
	return authn.NewGrants([]string{"member"}, map[string]string{"users.list": "member"}), nil
}

// lenient is a policy that ends nothing during a test.
type lenient struct{}

func (lenient) Of(tenancy.Tenant) users.Policy {
	return users.Policy{Lifetimes: users.Lifetimes{Access: 10 * time.Minute, Session: time.Hour, Idle: time.Hour, Grace: 10 * time.Second}}
}

// noRoles stands for the roles module, with users that have none.
type noRoles struct{}

func (noRoles) Set(context.Context, uow.Tx, authn.Caller, uuid.UUID, []string, roles.Ends) error {
	return nil
}
func (noRoles) Found(context.Context, uow.Tx, uuid.UUID, []string) error         { return nil }
func (noRoles) Release(context.Context, uow.Tx, uuid.UUID) error                 { return nil }
func (noRoles) Suspendable(context.Context, uow.Tx, uuid.UUID) error             { return nil }
func (noRoles) MayManage(context.Context, uow.Tx, authn.Caller, uuid.UUID) error { return nil }
func (noRoles) Holders(context.Context, uow.Tx, string) ([]uuid.UUID, error)     { return nil, nil }
func (noRoles) Of(context.Context, uow.Tx, []uuid.UUID) (map[uuid.UUID]roles.Held, error) {
	return nil, nil
}

// noOutbox loses what is queued.
type noOutbox struct{}

func (noOutbox) Put(context.Context, uow.Tx, op.Def, any) error              { return nil }
func (noOutbox) PutAt(context.Context, uow.Tx, op.Def, any, time.Time) error { return nil }

// unset are the settings of tenants that never set any.
type unset struct{}

func (unset) Learn(context.Context, uow.Tx, tenancy.Tenant, int64) error { return nil }

func (unset) Refresh(context.Context, uow.Tx, tenancy.Tenant) error { return nil }
