package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
)

// fakeInsula is the command line and the API as the seeding sees them.
type fakeInsula struct {
	mu       sync.Mutex
	tokens   map[string]string            // slug -> unused one-time token
	password map[string]string            // slug -> administrator's password
	users    map[string]map[string]string // slug -> e-mail -> role
	files    map[string]string            // slug -> content
	created  map[string]string            // slug -> kind
	calls    int
	broken   string // path that answers 500
}

func newFakeInsula() *fakeInsula {
	return &fakeInsula{
		tokens: map[string]string{}, password: map[string]string{}, users: map[string]map[string]string{},
		files: map[string]string{}, created: map[string]string{},
	}
}

// create stands in for the command line.
func (f *fakeInsula) create(_ context.Context, args ...string) ([]byte, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	flags := map[string]string{}
	for i := 2; i+1 < len(args); i += 2 {
		flags[args[i]] = args[i+1]
	}
	slug := flags["--slug"]
	if args[0]+" "+args[1] != "tenant create" || args[len(args)-1] != "--json" || slug == "" || flags["--admin-email"] == "" {
		return nil, fmt.Errorf("bad arguments %q", args)
	}
	if _, exists := f.created[slug]; exists {
		return []byte(`{"tenant":{"slug":"` + slug + `"},"created":false}`), nil
	}
	if _, founded := f.created["operator"]; !founded && flags["--kind"] != kindOperator {
		return nil, errors.New("there is no operator yet")
	}
	f.created[slug] = flags["--kind"]
	f.tokens[slug] = "token-of-" + slug
	return fmt.Appendf(nil, `{"tenant":{"slug":%q},"admin":{"email":%q,"token":%q}}`, slug, flags["--admin-email"], f.tokens[slug]), nil
}

// ServeHTTP stands in for the API.
func (f *fakeInsula) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.calls++
	tenant := r.Header.Get("X-Tenant")
	raw, _ := io.ReadAll(r.Body)
	var body struct {
		Token, Password, Email, Name string
		Roles                        []string
	}
	_ = json.Unmarshal(raw, &body)
	refuse := func(status int, code string) {
		w.WriteHeader(status)
		fmt.Fprintf(w, `{"code":%q,"detail":"refused"}`, code)
	}
	if r.URL.Path == f.broken {
		refuse(http.StatusInternalServerError, "internal")
		return
	}
	signedIn := r.Header.Get("Authorization") == "Bearer access-"+tenant
	switch {
	case r.URL.Path == "/v1/auth/invitations/accept":
		if body.Token == "" || body.Token != f.tokens[tenant] || body.Name == "" {
			refuse(http.StatusUnauthorized, "auth.token_invalid")
			return
		}
		delete(f.tokens, tenant)
		f.password[tenant] = body.Password
	case r.URL.Path == "/v1/auth/login":
		if body.Password == "" || f.password[tenant] != body.Password {
			refuse(http.StatusUnauthorized, "auth.failed")
			return
		}
		fmt.Fprintf(w, `{"access_token":"access-%s"}`, tenant)
	case !signedIn:
		refuse(http.StatusUnauthorized, "auth.required")
	case r.Method == http.MethodPost && r.URL.Path == "/v1/users":
		if f.users[tenant] == nil {
			f.users[tenant] = map[string]string{}
		}
		if _, taken := f.users[tenant][body.Email]; taken {
			refuse(http.StatusConflict, "users.email_taken")
			return
		}
		f.users[tenant][body.Email] = strings.Join(body.Roles, ",")
		w.WriteHeader(http.StatusCreated)
	case r.Method == http.MethodPost && r.URL.Path == "/v1/files":
		w.WriteHeader(http.StatusCreated)
		io.WriteString(w, `{"id":"file-1"}`)
	case r.Method == http.MethodPut && r.URL.Path == "/v1/files/file-1/content":
		f.files[tenant] = string(raw)
	default:
		refuse(http.StatusNotFound, "not_found")
	}
}

// seedAll runs the whole demo against the fake.
func seedAll(t *testing.T, f *fakeInsula, state string, demo []demoTenant) error {
	t.Helper()
	server := httptest.NewServer(f)
	defer server.Close()
	s := seeder{api: server.URL, state: state, client: server.Client(), create: f.create}
	return s.all(t.Context(), demo)
}

func testDemo() []demoTenant {
	return demoFor(secrets{secretOperator: "operator password", secretAcme: "acme password", secretGlobex: "globex password"})
}

func TestSeedMakesTheDemo(t *testing.T) {
	f, state := newFakeInsula(), t.TempDir()
	if err := seedAll(t, f, state, testDemo()); err != nil {
		t.Fatal(err)
	}
	if f.created["operator"] != kindOperator || f.created["acme"] != "" || len(f.created) != 3 {
		t.Errorf("tenants = %v", f.created)
	}
	if f.password["acme"] != "acme password" || f.password["globex"] != "globex password" {
		t.Errorf("passwords = %v", f.password)
	}
	if len(f.users["acme"]) != 3 || f.users["globex"]["sam@shared.example"] != "member" || len(f.users["operator"]) != 0 {
		t.Errorf("users = %v", f.users)
	}
	if f.files["acme"] == "" || f.files["acme"] == f.files["globex"] {
		t.Errorf("files = %v", f.files)
	}
	if left, _ := filepath.Glob(filepath.Join(state, "*.token")); len(left) > 0 {
		t.Errorf("used tokens are kept: %v", left)
	}

	calls := f.calls
	if err := seedAll(t, f, state, testDemo()); err != nil || f.calls != calls {
		t.Errorf("second start: %v, %d more requests", err, f.calls-calls)
	}
}

// TestSeedGoesOnAfterAnInterruption breaks each request once.
func TestSeedGoesOnAfterAnInterruption(t *testing.T) {
	for _, path := range []string{"/v1/auth/invitations/accept", "/v1/auth/login", "/v1/users", "/v1/files", "/v1/files/file-1/content"} {
		f, state := newFakeInsula(), t.TempDir()
		f.broken = path
		err := seedAll(t, f, state, testDemo())
		if err == nil || !strings.Contains(err.Error(), path) || !strings.Contains(err.Error(), "500") {
			t.Fatalf("%s broken: error = %v", path, err)
		}
		f.broken = ""
		if err := seedAll(t, f, state, testDemo()); err != nil {
			t.Fatalf("%s mended: %v", path, err)
		}
		if len(f.users["acme"]) != 3 || f.files["globex"] == "" {
			t.Errorf("%s mended: users %v, files %v", path, f.users, f.files)
		}
	}
}

func TestSeedSaysWhenThePasswordsAreOthers(t *testing.T) {
	f, state := newFakeInsula(), t.TempDir()
	if err := seedAll(t, f, state, testDemo()); err != nil {
		t.Fatal(err)
	}
	other := demoFor(secrets{secretOperator: "x", secretAcme: "y", secretGlobex: "z"})
	err := seedAll(t, f, state, other)
	if err == nil || !strings.Contains(err.Error(), "make reset-data") || !strings.Contains(err.Error(), "auth.failed") {
		t.Fatalf("error = %v", err)
	}
}

func TestSummaryFile(t *testing.T) {
	say, _ := silent()
	p := parts{settings: settings{http: address{host: "127.0.0.1", port: 1}, admin: address{host: "127.0.0.1", port: 2}}, say: say, mailPage: "http://m/"}
	p.env.set("S3_ENDPOINT", "http://s3")
	p.env.set("DATABASE_URL", "postgres://db")
	p.env.set("REDIS_URL", "redis://r")
	path := filepath.Join(t.TempDir(), "dev.json")
	s := p.summary(testDemo())
	if err := s.write(path); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	info, err := os.Stat(path)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("mode = %v, %v", info.Mode(), err)
	}
	var got map[string]any
	if err := json.Unmarshal(text, &got); err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{
		"api": "http://127.0.0.1:1", "docs": "http://127.0.0.1:1/docs", "metrics": "http://127.0.0.1:2/metrics", "mail": "http://m/",
		"s3": "http://s3", "database_url": "postgres://db", "redis_url": "redis://r",
		"operator": "map[email:admin@insula.example password:operator password slug:operator]",
		"tenants":  "map[acme:map[email:admin@acme.example password:acme password slug:acme] globex:map[email:admin@globex.example password:globex password slug:globex]]",
	} {
		if fmt.Sprint(got[name]) != want {
			t.Errorf("%s = %v, want %s", name, got[name], want)
		}
	}
	var out strings.Builder
	if err := s.print(&out, "/logs", 1500_000_000); err != nil || !strings.Contains(out.String(), "acme password") || !strings.Contains(out.String(), "after 1.5 s") {
		t.Errorf("printed %q, %v", out.String(), err)
	}
}
