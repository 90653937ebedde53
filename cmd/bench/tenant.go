package main

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"net/http"

	"github.com/google/uuid"
)

const (
	slug       = "bench"
	adminEmail = "admin@bench.example"
)

// tenant is the one whose users are read and written.
type tenant struct {
	schema   string
	password string
	users    []uuid.UUID
	tokens   []string // one session for each connection
}

// settle makes the operator's tenant and the one that is measured, with users
// and with as many sessions as there will be connections.
func (h *house) settle(ctx context.Context, binary string, o options) (tenant, error) {
	t := tenant{password: rand.Text()}
	if _, err := createTenant(ctx, h.env, binary, "--slug", "operator", "--name", "Operator", "--kind", "operator", "--admin-email", "ops@bench.example"); err != nil {
		return t, err
	}
	made, err := createTenant(ctx, h.env, binary, "--slug", slug, "--name", "Bench", "--admin-email", adminEmail)
	if err != nil {
		return t, err
	}
	if t.schema, err = h.database.schemaOf(ctx, made.Tenant.ID); err != nil {
		return t, err
	}
	if t.users, err = h.database.fill(ctx, t.schema, o.users); err != nil {
		return t, err
	}
	if err := h.accept(ctx, slug, made, t.password); err != nil {
		return t, err
	}
	for range o.connections {
		token, err := h.signIn(ctx, slug, "/v1/auth/login", t.credentials())
		if err != nil {
			return t, err
		}
		t.tokens = append(t.tokens, token)
	}
	return t, nil
}

// accept lets the administrator of a new tenant in.
func (h *house) accept(ctx context.Context, tenant string, made createdTenant, password string) error {
	body := map[string]string{"token": made.Admin.Token, "password": password, "name": "Administrator"}
	_, err := h.signIn(ctx, tenant, "/v1/auth/invitations/accept", body)
	return err
}

func (t tenant) credentials() map[string]string {
	return map[string]string{"email": adminEmail, "password": t.password}
}

// createdTenant is what `insula tenant create --json` prints.
type createdTenant struct {
	Tenant struct {
		ID uuid.UUID `json:"id"`
	} `json:"tenant"`
	Admin struct {
		Token string `json:"token"`
	} `json:"admin"`
}

func createTenant(ctx context.Context, env []string, binary string, args ...string) (createdTenant, error) {
	var made createdTenant
	out, err := finish(ctx, env, binary, append([]string{"tenant", "create", "--json"}, args...)...)
	if err != nil {
		return made, err
	}
	if err := json.Unmarshal(out, &made); err != nil {
		return made, fmt.Errorf("read the answer of insula tenant create: %w", err)
	}
	return made, nil
}

// signIn posts to an address that answers with an access token.
func (h *house) signIn(ctx context.Context, tenant, path string, body map[string]string) (string, error) {
	text, err := json.Marshal(body)
	if err != nil {
		return "", err
	}
	var answer struct {
		AccessToken string `json:"access_token"`
	}
	r := request{tenant: tenant, method: http.MethodPost, path: path, body: text, want: http.StatusOK}
	return answer.AccessToken, ask(ctx, h.insula.addr, r, &answer)
}
