package main

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/insulahq/insula/platform/pg"
	"github.com/insulahq/insula/platform/secret"
)

// poolConns is the number of database connections that insula and the floor
// each may open: insula's default.
const poolConns = 16

// house is all that is measured: a fresh database, the floor, and insula
// without and with Redis.
type house struct {
	dir       string
	env       []string // of insula
	database  database
	mail      *mailSink
	processes []*process
	floor     server
	insula    server
	withRedis *server // nil: no Redis is given
	tenant    tenant
	binary    string
}

// server is one measured process and where it answers.
type server struct {
	*process
	addr  string
	admin string // the private listener of insula
	conns string // how its database connections name themselves
}

// openHouse brings everything up. The caller closes it.
func openHouse(ctx context.Context, o options, say func(string, ...any)) (_ *house, err error) {
	h := &house{}
	defer func() {
		if err != nil {
			h.close()
		}
	}()
	if h.dir, err = os.MkdirTemp("", "insula-bench-"); err != nil {
		return nil, err
	}
	binary := o.binary
	if binary == "" {
		say("building insula")
		binary = filepath.Join(h.dir, "insula")
		if err := buildInsula(ctx, binary); err != nil {
			return nil, err
		}
	}
	if h.mail, err = startMail(); err != nil {
		return nil, err
	}
	if h.database, err = openDatabase(ctx); err != nil {
		return nil, err
	}
	if h.env, err = h.environment(); err != nil {
		return nil, err
	}
	h.binary = binary
	say("making the tenant and %d users", o.users)
	if err := h.serve(ctx, binary); err != nil {
		return nil, err
	}
	if h.tenant, err = h.settle(ctx, binary, o); err != nil {
		return nil, err
	}
	return h, h.startFloor(ctx)
}

// close ends the processes and removes what they leave.
func (h *house) close() {
	var problems error
	for _, p := range h.processes {
		problems = errors.Join(problems, p.stop())
	}
	if h.mail != nil {
		h.mail.close()
	}
	problems = errors.Join(problems, h.database.drop(), os.RemoveAll(h.dir))
	if problems != nil {
		fmt.Fprintln(os.Stderr, "bench: on the way out:", problems)
	}
}

func buildInsula(ctx context.Context, out string) error {
	cmd := exec.CommandContext(ctx, "go", "build", "-o", out, "github.com/insulahq/insula/cmd/insula")
	if text, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("build insula: %w\n%s", err, text)
	}
	return nil
}

// serve migrates the database and starts insula, without Redis and, if the
// environment names one, with it.
func (h *house) serve(ctx context.Context, binary string) (err error) {
	if _, err := finish(ctx, h.env, binary, "migrate"); err != nil {
		return err
	}
	if h.insula, err = h.startInsula(ctx, binary, "insula", h.env); err != nil {
		return err
	}
	redis := os.Getenv("INSULA_TEST_REDIS_URL")
	if redis == "" {
		return nil
	}
	second, err := h.startInsula(ctx, binary, "insula-redis", append(slices.Clone(h.env), "REDIS_URL="+redis))
	h.withRedis = &second
	return err
}

// environment is what insula runs with: its defaults, and limits so high that
// they are not what is measured. Both processes have the same keys.
func (h *house) environment() ([]string, error) {
	var keys [2]string
	for i := range keys {
		key := make([]byte, 32)
		if _, err := rand.Read(key); err != nil {
			return nil, err
		}
		keys[i] = base64.StdEncoding.EncodeToString(key)
	}
	var env []string
	for _, entry := range os.Environ() { // what insula would read of the caller's must not decide
		name, _, _ := strings.Cut(entry, "=")
		if !strings.HasPrefix(name, "INSULA_") && !strings.HasPrefix(name, "S3_") && name != "REDIS_URL" {
			env = append(env, entry)
		}
	}
	return append(env,
		"DATABASE_URL="+h.database.appURL,
		"INSULA_MIGRATOR_URL="+h.database.migratorURL,
		"INSULA_DB_MAX_CONNS="+strconv.Itoa(poolConns),
		"INSULA_HTTP_ADDR=127.0.0.1:0", "INSULA_ADMIN_ADDR=127.0.0.1:0",
		"INSULA_PUBLIC_URL=http://insula.localhost",
		"INSULA_SECRET_KEY="+keys[0], "INSULA_PASSWORD_PEPPER="+keys[1],
		"INSULA_RATE_TENANT=1000000", "INSULA_RATE_USER=1000000", "INSULA_RATE_LOGIN=1000000",
		"INSULA_ACCESS_TOKEN_TTL=1h",
		"SMTP_URL="+h.mail.url, "INSULA_MAIL_FROM=Insula <no-reply@insula.localhost>",
		// No row touches files: nothing has to answer here.
		"S3_ENDPOINT=http://127.0.0.1:9", "S3_BUCKET=unused", "S3_ACCESS_KEY=unused", "S3_SECRET_KEY=unused", "S3_PATH_STYLE=true",
	), nil
}

func (h *house) startInsula(ctx context.Context, binary, name string, env []string) (server, error) {
	p, err := start(h.dir, name, env, nil, binary, "serve")
	if err != nil {
		return server{}, err
	}
	h.processes = append(h.processes, p)
	line, err := p.await(ctx, func(line string) bool { return strings.Contains(line, `"msg":"serving"`) })
	if err != nil {
		return server{}, err
	}
	var said struct{ Address, Admin string }
	if err := json.Unmarshal([]byte(line), &said); err != nil {
		return server{}, fmt.Errorf("%s: read where it serves: %w", name, err)
	}
	return server{process: p, addr: said.Address, admin: said.Admin, conns: "insula"}, nil
}

// floorName is how the floor's connections name themselves.
const floorName = "bench floor"

// startFloor runs this very program as the floor, on the tenant's schema.
func (h *house) startFloor(ctx context.Context) error {
	self, err := os.Executable()
	if err != nil {
		return err
	}
	settings, err := json.Marshal(floorSettings{DatabaseURL: h.database.migratorURL, Schema: h.tenant.schema, MaxConns: poolConns})
	if err != nil {
		return err
	}
	p, err := start(h.dir, "floor", os.Environ(), bytes.NewReader(settings), self, floorCommand)
	if err != nil {
		return err
	}
	h.processes = append(h.processes, p)
	addr, err := p.await(ctx, func(line string) bool { return strings.HasPrefix(line, "127.0.0.1:") })
	h.floor = server{process: p, addr: addr, conns: floorName}
	return err
}

// finish runs a command to its end and returns what it printed.
func finish(ctx context.Context, env []string, file string, args ...string) ([]byte, error) {
	cmd := exec.CommandContext(ctx, file, args...)
	var complaint strings.Builder
	cmd.Env, cmd.Stderr = env, &complaint
	out, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("insula %s: %w\n%s", strings.Join(args, " "), err, complaint.String())
	}
	return out, nil
}

// database is a fresh one on the given server.
type database struct {
	name                string
	superuserURL        string // to the server's own database
	appURL, migratorURL string
}

func openDatabase(ctx context.Context) (database, error) {
	d := database{superuserURL: os.Getenv("INSULA_TEST_DATABASE_URL")}
	if d.superuserURL == "" {
		return d, errors.New("INSULA_TEST_DATABASE_URL is not set: run this as .bin/dev test -- go run ./cmd/bench, or make bench")
	}
	d.name = fmt.Sprintf("insula_bench_%d_%d", os.Getpid(), time.Now().Unix())
	password := secret.New(rand.Text())
	var err error
	d.appURL, d.migratorURL, err = pg.Bootstrap(ctx, d.superuserURL, pg.BootstrapParams{
		Database: d.name, AppPassword: password, MigratorPassword: password,
	})
	return d, err
}
