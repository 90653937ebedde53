package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/signal"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// playEnv makes the test binary play the server; its value is a directory for
// what the command line and the server must share.
const playEnv = "DEV_TEST_PLAY"

func TestMain(m *testing.M) {
	if dir := os.Getenv(playEnv); dir != "" && len(os.Args) > 1 {
		if err := play(dir, os.Args[1:]); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// play does what the server's binary would do.
func play(dir string, args []string) error {
	switch args[0] {
	case "migrate":
		if os.Getenv("INSULA_MIGRATOR_URL") == "" || os.Getenv("INSULA_DATA_DIR") != "" {
			return errors.New("bad environment")
		}
		return os.WriteFile(filepath.Join(dir, "migrated"), nil, 0o600)
	case "tenant":
		f := newFakeInsula()
		made, err := filepath.Glob(filepath.Join(dir, "*.created"))
		if err != nil {
			return err
		}
		for _, marker := range made {
			f.created[strings.TrimSuffix(filepath.Base(marker), ".created")] = ""
		}
		out, err := f.create(context.Background(), args...)
		if err != nil {
			return err
		}
		os.Stdout.Write(out)
		return os.WriteFile(filepath.Join(dir, args[3]+".created"), nil, 0o600)
	case "serve":
		return playServer(dir)
	}
	return fmt.Errorf("bad arguments %q", args)
}

// playServer serves the fake API until SIGTERM.
func playServer(dir string) error {
	if _, err := os.Stat(filepath.Join(dir, "migrated")); err != nil {
		return errors.New("served before migrating")
	}
	pid := strconv.Itoa(os.Getpid())
	if err := os.WriteFile(filepath.Join(dir, "pid"), []byte(pid), 0o600); err != nil {
		return err
	}
	f := newFakeInsula()
	for _, t := range demoFor(secrets{}) {
		f.tokens[t.Slug] = "token-of-" + t.Slug
	}
	mux := http.NewServeMux()
	mux.Handle("/", f)
	mux.HandleFunc("/readyz", func(http.ResponseWriter, *http.Request) {})
	server := &http.Server{Addr: os.Getenv("INSULA_HTTP_ADDR"), Handler: mux}
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	defer stop()
	context.AfterFunc(ctx, func() { server.Close() })
	if err := server.ListenAndServe(); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}

// playedParts prepares a run whose server is the test binary and whose other
// parts, PostgreSQL and all, are real.
func playedParts(t *testing.T) (p *parts, say *progress) {
	t.Helper()
	s := withoutS3(t)
	t.Setenv(playEnv, t.TempDir())
	if err := os.MkdirAll(s.data, 0o755); err != nil {
		t.Fatal(err)
	}
	known, err := loadSecrets(s.in("secrets.env"))
	if err != nil {
		t.Fatal(err)
	}
	say, _ = silent()
	self := func(context.Context, target) (string, error) { return os.Executable() }
	return &parts{settings: s, secrets: known, stack: newStack(), say: say, compile: self}, say
}

// awaitFile waits for a file that appears whole.
func awaitFile(t *testing.T, path string, ended <-chan error) []byte {
	t.Helper()
	deadline := time.After(60 * time.Second)
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for {
		if text, err := os.ReadFile(path); err == nil {
			return text
		}
		select {
		case err := <-ended:
			t.Fatalf("the run ended: %v", err)
		case <-deadline:
			t.Fatalf("%s does not appear", path)
		case <-tick.C:
		}
	}
}

// TestRunAll goes the whole way with a played server, warm and cold, and then
// lets the server crash.
func TestRunAll(t *testing.T) {
	p, say := playedParts(t)
	start := func(ctx context.Context) (ended chan error, out *strings.Builder) {
		q := &parts{settings: p.settings, secrets: p.secrets, stack: newStack(), say: say, compile: p.compile}
		if err := removeAll([]string{p.settings.in("dev.json")}); err != nil {
			t.Fatal(err)
		}
		ended, out = make(chan error, 1), &strings.Builder{}
		go func() {
			err := runAll(ctx, q, out)
			ended <- errors.Join(err, q.stack.stopAll(t.Context(), say))
		}()
		return ended, out
	}

	for _, round := range []string{"cold", "warm"} {
		ctx, interrupt := context.WithCancel(t.Context())
		ended, out := start(ctx)
		var s summary
		if err := json.Unmarshal(awaitFile(t, p.settings.in("dev.json"), ended), &s); err != nil {
			t.Fatal(err)
		}
		resp, err := http.Get(s.API + "/readyz")
		if err != nil {
			t.Fatalf("%s: the API in dev.json: %v", round, err)
		}
		resp.Body.Close()
		interrupt()
		if err := <-ended; err != nil {
			t.Fatalf("%s: after Ctrl-C: %v", round, err)
		}
		if !strings.Contains(out.String(), s.Tenants["globex"].Password) {
			t.Errorf("%s: no login in %q", round, out)
		}
		if _, err := http.Get(s.API + "/readyz"); err == nil {
			t.Errorf("%s: the server still runs", round)
		}
	}

	ended, _ := start(t.Context())
	awaitFile(t, p.settings.in("dev.json"), ended)
	text, err := os.ReadFile(filepath.Join(os.Getenv(playEnv), "pid"))
	if err != nil {
		t.Fatal(err)
	}
	pid, err := strconv.Atoi(string(text))
	if err != nil {
		t.Fatal(err)
	}
	if err := syscall.Kill(pid, syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	if err := <-ended; err == nil || !strings.Contains(err.Error(), "the server is gone") || !strings.Contains(err.Error(), "insula.log") {
		t.Errorf("after a crash: %v", err)
	}
}

// TestRunAllReportsAFailedMigration names the command and what it said.
func TestRunAllReportsAFailedMigration(t *testing.T) {
	p, say := playedParts(t)
	t.Setenv(playEnv, filepath.Join(t.TempDir(), "absent"))
	err := runAll(t.Context(), p, io.Discard)
	if err == nil || !strings.Contains(err.Error(), "migrate") || !strings.Contains(err.Error(), "no such file") {
		t.Errorf("error = %v", err)
	}
	if err := p.stack.stopAll(t.Context(), say); err != nil {
		t.Error(err)
	}
}
