package main

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"time"

	"golang.org/x/sync/errgroup"
)

// seedTimeout bounds one request of the seeding.
const seedTimeout = 20 * time.Second

// seed makes the demo tenants that are missing, through the command line and
// the API as any operator would.
func (p *parts) seed(ctx context.Context, binary string, demo []demoTenant) error {
	s := seeder{
		api: p.settings.http.local(), state: p.settings.in("seed"), client: &http.Client{Timeout: seedTimeout},
		create: func(ctx context.Context, args ...string) ([]byte, error) {
			return finish(ctx, p.env.serverEnvironment(os.Environ()), binary, args...)
		},
	}
	if err := os.MkdirAll(s.state, 0o700); err != nil {
		return err
	}
	return s.all(ctx, demo)
}

// seeder makes demo tenants.
type seeder struct {
	api    string
	state  string // remembers what is done, and tokens that were not used yet
	client *http.Client
	create func(ctx context.Context, args ...string) ([]byte, error)
}

// all makes the operator's tenant first, because only it can make others, and
// those side by side.
func (s seeder) all(ctx context.Context, demo []demoTenant) error {
	group, groupCtx := errgroup.WithContext(ctx)
	seed := func(ctx context.Context, t demoTenant) error {
		if err := s.tenant(ctx, t); err != nil {
			return fmt.Errorf("tenant %s: %w", t.Slug, err)
		}
		return nil
	}
	for _, t := range demo {
		if t.kind == kindOperator {
			if err := seed(ctx, t); err != nil {
				return err
			}
		}
	}
	for _, t := range demo {
		if t.kind != kindOperator {
			group.Go(func() error { return seed(groupCtx, t) })
		}
	}
	return group.Wait()
}

// tenant brings one tenant to its full state, from wherever an earlier start
// has left it.
func (s seeder) tenant(ctx context.Context, t demoTenant) error {
	created, err := s.ensure(ctx, t)
	if err != nil {
		return err
	}
	done := filepath.Join(s.state, t.Slug+".done")
	if !created && s.isDone(done, t) {
		return nil
	}
	c := apiClient{seeder: s, tenant: t.Slug}
	if err := s.accept(ctx, c, t); err != nil {
		return err
	}
	if c.token, err = c.login(ctx, t.login); err != nil {
		return fmt.Errorf("%w (if the tenant was made with other secrets, remove the data: make reset-data)", err)
	}
	for _, u := range t.users {
		if err := c.post(ctx, "/v1/users", u, nil); err != nil && !isConflict(err) {
			return fmt.Errorf("add user %s: %w", u.Email, err)
		}
	}
	if t.file != "" {
		if err := c.upload(ctx, "welcome.txt", "text/plain", t.file); err != nil {
			return fmt.Errorf("upload a file: %w", err)
		}
	}
	return writePrivate(done, []byte(fingerprint(t)))
}

// isDone reports whether an earlier start has completed the very same demo.
func (s seeder) isDone(file string, t demoTenant) bool {
	text, err := os.ReadFile(file)
	return err == nil && string(text) == fingerprint(t)
}

// fingerprint changes when the demo or its password does.
func fingerprint(t demoTenant) string {
	sum := sha256.Sum256(fmt.Appendf(nil, "%+v", t))
	return hex.EncodeToString(sum[:])
}

// tokenFile keeps the administrator's one-time token from the moment it is made
// until it is used: it is shown only once, and a start may be interrupted.
func (s seeder) tokenFile(t demoTenant) string { return filepath.Join(s.state, t.Slug+".token") }

// ensure makes the tenant unless it exists.
func (s seeder) ensure(ctx context.Context, t demoTenant) (created bool, err error) {
	args := []string{"tenant", "create", "--slug", t.Slug, "--name", t.name}
	if t.kind != "" {
		args = append(args, "--kind", t.kind)
	}
	out, err := s.create(ctx, append(args, "--admin-email", t.Email, "--json")...)
	if err != nil {
		return false, err
	}
	var answer struct {
		Created *bool `json:"created"`
		Admin   struct {
			Token string `json:"token"`
		} `json:"admin"`
	}
	if err := json.Unmarshal(out, &answer); err != nil {
		return false, fmt.Errorf("read the answer of `insula tenant create`: %w", err)
	}
	if answer.Created != nil && !*answer.Created {
		return false, nil
	}
	if answer.Admin.Token == "" {
		return false, errors.New("`insula tenant create` made the tenant but gave no token for its administrator")
	}
	return true, writePrivate(s.tokenFile(t), []byte(answer.Admin.Token))
}

// accept sets the administrator's password with the one-time token, if there is
// one that was not used.
func (s seeder) accept(ctx context.Context, c apiClient, t demoTenant) error {
	file := s.tokenFile(t)
	token, err := os.ReadFile(file)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	body := map[string]string{"token": string(token), "password": t.Password, "name": t.name + " Administrator"}
	if err := c.post(ctx, "/v1/auth/invitations/accept", body, nil); err != nil {
		// The token may have been used just before an earlier start was
		// interrupted; then the password opens the account.
		if _, loginErr := c.login(ctx, t.login); loginErr != nil {
			return fmt.Errorf("accept the invitation of %s: %w", t.Email, err)
		}
	}
	return os.Remove(file)
}
