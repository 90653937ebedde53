package main

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/insulahq/insula/platform/clock"
	"github.com/insulahq/insula/platform/config"
	"github.com/insulahq/insula/platform/pg"
	"github.com/insulahq/insula/platform/s3x"
	"github.com/insulahq/insula/platform/s3x/s3test"
	"github.com/insulahq/insula/platform/secret"
)

// house is an installation of the measurement's own.
type house struct {
	dir, binary, name string
	env               []string
	admin             *pgx.Conn // superuser, on the server's own database
	inside            *pgx.Conn // superuser, on that of the installation
	blobs             *s3x.Store
}

func openHouse(ctx context.Context) (*house, error) {
	server, store := os.Getenv("INSULA_TEST_DATABASE_URL"), os.Getenv("INSULA_TEST_S3")
	if server == "" || store == "" {
		return nil, errors.New("run it through `.bin/dev test -- go run ./cmd/bench/copies`: it needs a database and an object store")
	}
	h := &house{name: fmt.Sprintf("insula_copies_%d", os.Getpid())}
	password := secret.New(rand.Text())
	app, migrator, err := pg.Bootstrap(ctx, server, pg.BootstrapParams{Database: h.name, AppPassword: password, MigratorPassword: password})
	if err != nil {
		return nil, err
	}
	bucket := config.S3{
		Endpoint: store, Region: "us-east-1", Bucket: strings.ReplaceAll(h.name, "_", "-"), PathStyle: true,
		AccessKey: os.Getenv("INSULA_TEST_S3_ACCESS_KEY"), SecretKey: secret.New(os.Getenv("INSULA_TEST_S3_SECRET_KEY")),
	}
	h.env = h.environment(app, migrator, bucket)
	if err := h.connect(ctx, server); err != nil {
		return nil, err
	}
	if h.blobs, err = s3x.Open(ctx, bucket, clock.System{}); err != nil {
		return nil, err
	}
	if err := s3test.MakeBucket(ctx, bucket); err != nil {
		return nil, err
	}
	return h, h.build(ctx)
}

func (h *house) connect(ctx context.Context, server string) (err error) {
	if h.admin, err = pgx.Connect(ctx, server); err != nil {
		return err
	}
	cfg := h.admin.Config().Copy()
	cfg.Database = h.name
	h.inside, err = pgx.ConnectConfig(ctx, cfg)
	return err
}

// environment is what the binary runs with. Redis is left out: no copy asks it.
func (h *house) environment(app, migrator string, s config.S3) []string {
	key := func() string {
		raw := make([]byte, 32)
		_, _ = rand.Read(raw) // never fails
		return base64.StdEncoding.EncodeToString(raw)
	}
	return []string{
		"PATH=" + os.Getenv("PATH"), "HOME=" + os.Getenv("HOME"),
		"DATABASE_URL=" + app, "INSULA_MIGRATOR_URL=" + migrator, "INSULA_PUBLIC_URL=http://insula.localhost",
		"INSULA_SECRET_KEY=" + key(), "INSULA_PASSWORD_PEPPER=" + key(),
		"SMTP_URL=smtp://127.0.0.1:9?tls=none", "INSULA_MAIL_FROM=Insula <no-reply@insula.localhost>",
		"S3_ENDPOINT=" + s.Endpoint, "S3_REGION=" + s.Region, "S3_BUCKET=" + s.Bucket, "S3_PATH_STYLE=true",
		"S3_ACCESS_KEY=" + s.AccessKey, "S3_SECRET_KEY=" + s.SecretKey.Reveal(),
	}
}

func (h *house) build(ctx context.Context) (err error) {
	if h.dir, err = os.MkdirTemp("", "insula-copies-"); err != nil {
		return err
	}
	h.binary = filepath.Join(h.dir, "insula")
	cmd := exec.CommandContext(ctx, "go", "build", "-o", h.binary, "github.com/insulahq/insula/cmd/insula")
	if text, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("build insula: %w\n%s", err, text)
	}
	for _, args := range [][]string{
		{"migrate"},
		{"tenant", "create", "--kind", "operator", "--slug", "operator", "--name", "Operator", "--admin-email", "ops@bench.example"},
	} {
		if _, err := h.insula(ctx, args...); err != nil {
			return err
		}
	}
	return nil
}

// close removes all that the measurement has made.
func (h *house) close(ctx context.Context) error {
	_, err := h.admin.Exec(ctx, "DROP DATABASE "+pgx.Identifier{h.name}.Sanitize()+" WITH (FORCE)")
	return errors.Join(err, h.admin.Close(ctx), os.RemoveAll(h.dir))
}

// ran is how a command went.
type ran struct {
	out  string
	took time.Duration
	peak int64 // most memory of the process, in bytes
}

// insula runs a command of the binary to its end.
func (h *house) insula(ctx context.Context, args ...string) (ran, error) {
	cmd := exec.CommandContext(ctx, h.binary, args...)
	var complaint strings.Builder
	cmd.Env, cmd.Stderr = h.env, &complaint
	began := time.Now()
	out, err := cmd.Output()
	r := ran{out: string(out), took: time.Since(began)}
	if err != nil {
		return r, fmt.Errorf("insula %s: %w\n%s", strings.Join(args, " "), err, complaint.String())
	}
	if usage, ok := cmd.ProcessState.SysUsage().(*syscall.Rusage); ok {
		r.peak = usage.Maxrss << 10 // Linux counts kibibytes
	}
	return r, nil
}
