package main

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"slices"
	"time"
)

// row is one line of the table: a kind of request to one server.
type row struct {
	name    string
	server  server
	against string // the row that is its floor
	next    func(*worker) request
	tokens  []string
	mails   bool // each request sends one
	beside  *row // runs at the same time and is not measured itself
}

// rowCount is how many rows there are at most.
const rowCount = 7

// loginConnections are enough to keep every processor at hashing; more would
// only queue.
const loginConnections = 4

// rows lists what is measured, in the order of a round.
func rows(h *house) []row {
	t := h.tenant
	getUser := func(w *worker) request {
		id := t.users[w.random.IntN(len(t.users))]
		return request{method: http.MethodGet, path: "/v1/users/" + id.String(), want: http.StatusOK}
	}
	listUsers := func(*worker) request {
		return request{method: http.MethodGet, path: "/v1/users?limit=50", want: http.StatusOK}
	}
	login, _ := json.Marshal(t.credentials()) // texts
	all := []row{
		{name: "users.get floor", server: h.floor, next: getUser, tokens: t.tokens},
		{name: "users.get", server: h.insula, next: getUser, tokens: t.tokens, against: "users.get floor"},
	}
	if h.withRedis != nil {
		all = append(all, row{name: "users.get with Redis", server: *h.withRedis, next: getUser, tokens: t.tokens, against: "users.get floor"})
	}
	return append(all,
		row{name: "users.list floor", server: h.floor, next: listUsers, tokens: t.tokens},
		row{name: "users.list", server: h.insula, next: listUsers, tokens: t.tokens, against: "users.list floor"},
		row{name: "users.create", server: h.insula, next: createUser, tokens: t.tokens, mails: true},
		row{name: "auth.login", server: h.insula, tokens: make([]string, min(loginConnections, len(t.tokens))),
			next: func(*worker) request {
				return request{method: http.MethodPost, path: "/v1/auth/login", body: login, want: http.StatusOK}
			}},
	)
}

// createUser adds somebody whom no other request adds.
func createUser(w *worker) request {
	body := fmt.Sprintf(`{"email":"new-%d-%d-%x@bench.example","name":"New User","roles":["member"]}`, w.number, w.sent, w.random.Uint64())
	return request{method: http.MethodPost, path: "/v1/users", body: []byte(body), want: http.StatusCreated}
}

// measurement is one round of a row.
type measurement struct {
	requests    uint64
	rate        float64 // requests per second
	p50, p99    time.Duration
	serverCPU   time.Duration // of the server process, per request
	databaseCPU time.Duration // of its PostgreSQL backends, per request
}

// result is a row with its rounds.
type result struct {
	row    row
	rounds []measurement
}

// measureAll warms every row up and then takes turns: one round of each row,
// again and again.
func measureAll(ctx context.Context, h *house, o options, say func(string, ...any)) ([]result, error) {
	var results []result
	var mails int64
	measured := rows(h)
	if o.flood {
		measured = floodRows(h)
	}
	for _, r := range measured {
		results = append(results, result{row: r})
	}
	for round := range o.rounds + 1 {
		if round == 0 {
			say("warming up")
		} else {
			say("round %d of %d", round, o.rounds)
		}
		for i := range results {
			r := &results[i]
			m, err := measure(ctx, h, r.row, o.duration, uint64(round))
			if err != nil {
				return nil, fmt.Errorf("%s: %w", r.row.name, err)
			}
			if r.row.mails {
				mails += int64(m.requests)
				if err := h.mail.await(ctx, mails); err != nil {
					return nil, err
				}
			}
			if round > 0 {
				r.rounds = append(r.rounds, m)
			}
		}
	}
	return results, nil
}

// measure runs one round. Connections are opened for it, so that those of rows
// that wait are not idle long enough to be closed.
func measure(ctx context.Context, h *house, r row, length time.Duration, seed uint64) (measurement, error) {
	l, err := openLoad(ctx, r.server.addr, r.tokens, r.next)
	if err != nil {
		return measurement{}, err
	}
	defer l.close()
	if r.beside != nil {
		stop, err := besides(ctx, *r.beside)
		if err != nil {
			return measurement{}, err
		}
		defer stop()
	}
	before, err := usage(ctx, h, r.server)
	if err != nil {
		return measurement{}, err
	}
	o, err := l.run(ctx, length, seed)
	if err != nil {
		return measurement{}, err
	}
	after, err := usage(ctx, h, r.server)
	if err != nil {
		return measurement{}, err
	}
	n := max(o.latencies.total, 1)
	return measurement{
		requests: o.latencies.total, rate: o.rate(), p50: o.latencies.quantile(0.5), p99: o.latencies.quantile(0.99),
		serverCPU:   (after.server - before.server) / time.Duration(n),
		databaseCPU: (after.database - before.database) / time.Duration(n),
	}, nil
}

// used is the processor time of a server and of what works for it in
// PostgreSQL.
type used struct{ server, database time.Duration }

func usage(ctx context.Context, h *house, s server) (used, error) {
	u := used{server: cpuTime(s.PID())}
	backends, err := h.database.backends(ctx, s.conns)
	if err != nil {
		return u, fmt.Errorf("list the database's processes: %w", err)
	}
	for _, pid := range backends {
		u.database += cpuTime(pid)
	}
	return u, nil
}

// profile writes a processor profile of insula while it answers users.get.
func profile(ctx context.Context, h *house, o options, say func(string, ...any)) error {
	all := rows(h)
	at := slices.IndexFunc(all, func(r row) bool { return r.name == "users.get" })
	seconds := max(int(o.duration/time.Second), 1)
	say("profiling users.get for %d s", seconds)
	loaded := make(chan error, 1)
	go func() {
		_, err := measure(ctx, h, all[at], time.Duration(seconds+1)*time.Second, 0)
		loaded <- err
	}()
	text, err := fetch(ctx, fmt.Sprintf("http://%s/debug/pprof/profile?seconds=%d", h.insula.admin, seconds))
	if loadErr := <-loaded; loadErr != nil {
		return loadErr
	}
	if err != nil {
		return fmt.Errorf("profile: %w", err)
	}
	return os.WriteFile(o.profile, text, 0o644)
}
