package main

import (
	"context"
	"encoding/json"
	"net/http"
	"time"
)

// floodSlug names the tenant in which everybody signs in at once.
const floodSlug = "flooded"

const (
	// floodConnections each have one login under way: as many wait for a hash
	// as a server takes in within its time limit for a request.
	floodConnections = 24
	// quietConnections are those of the neighbour.
	quietConnections = 4
)

// settleFlooded makes the tenant of the flood.
func (h *house) settleFlooded(ctx context.Context) error {
	made, err := createTenant(ctx, h.env, h.binary, "--slug", floodSlug, "--name", "Flooded", "--admin-email", adminEmail)
	if err != nil {
		return err
	}
	return h.accept(ctx, floodSlug, made, h.tenant.password)
}

// floodRows lists what a tenant does alone, and beside a flood of logins in
// another: reading, and signing in itself.
func floodRows(h *house) []row {
	t := h.tenant
	login, _ := json.Marshal(t.credentials()) // texts
	signIn := func(tenant string) func(*worker) request {
		return func(*worker) request {
			return request{tenant: tenant, method: http.MethodPost, path: "/v1/auth/login", body: login, want: http.StatusOK}
		}
	}
	flood := &row{server: h.insula, next: signIn(floodSlug), tokens: make([]string, floodConnections)}
	read := row{name: "users.get", server: h.insula, tokens: t.tokens[:min(quietConnections, len(t.tokens))], next: rows(h)[0].next}
	enter := row{name: "auth.login", server: h.insula, tokens: make([]string, 1), next: signIn(slug)}
	flooded := func(r row) row {
		r.against, r.beside = r.name, flood
		r.name += " beside a flood of logins"
		return r
	}
	return []row{read, flooded(read), enter, flooded(enter)}
}

// besides starts the load of a row and returns what ends it.
func besides(ctx context.Context, r row) (stop func(), err error) {
	l, err := openLoad(ctx, r.server.addr, r.tokens, r.next)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithCancel(ctx)
	done := make(chan struct{})
	go func() {
		defer close(done)
		_, _ = l.run(ctx, maxDuration, 0) // ends when its connections are closed, with an error that means nothing
	}()
	select { // until all of them wait for their turn
	case <-time.After(time.Second):
	case <-ctx.Done():
	}
	return func() { cancel(); l.close(); <-done }, nil
}
