package main

import (
	"context"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/insulahq/insula/platform/pgserver"
)

// withoutS3 says that S3 stands elsewhere, so that the tests here need not
// compile the helper; its own module tests it.
func withoutS3(t *testing.T) settings {
	t.Helper()
	t.Setenv("S3_ENDPOINT", "http://127.0.0.1:1")
	t.Setenv("S3_BUCKET", "given")
	t.Setenv("INSULA_TEST_S3", "http://127.0.0.1:1")
	t.Setenv("INSULA_DATA_DIR", filepath.Join(t.TempDir(), "data"))
	// Ports of its own: a stack may run on this machine, and other tests start some.
	for _, name := range []string{"INSULA_HTTP_ADDR", "INSULA_ADMIN_ADDR", "INSULA_DEV_MAIL_ADDR"} {
		t.Setenv(name, freeAddress(t).String())
	}
	for _, name := range []string{"INSULA_DEV_PG_PORT", "INSULA_DEV_REDIS_PORT"} {
		t.Setenv(name, strconv.Itoa(freeAddress(t).port))
	}
	s, err := readSettings(os.LookupEnv)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(pgserver.Elsewhere(s.in("postgres"))) })
	return s
}

// freeAddress returns a port that the system has just found free.
func freeAddress(t *testing.T) address {
	t.Helper()
	say, _ := silent()
	a, err := claim(address{host: "127.0.0.1"}, "a test", say)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// setting reads one NAME='value' line.
func setting(t *testing.T, lines, name string) string {
	t.Helper()
	for line := range strings.Lines(lines) {
		if value, ok := strings.CutPrefix(strings.TrimSpace(line), name+"="); ok {
			return strings.Trim(value, "'")
		}
	}
	t.Fatalf("no %s in\n%s", name, lines)
	return ""
}

// TestPartsOnly starts the parts twice on the same data and stops them as
// Ctrl-C does.
func TestPartsOnly(t *testing.T) {
	s := withoutS3(t)
	say, said := silent()
	var databaseURL string
	for _, sql := range []string{"CREATE TABLE kept()", "DROP TABLE kept"} {
		ctx, interrupt := context.WithCancel(t.Context())
		reader, writer := io.Pipe()
		ended := make(chan error, 1)
		go func() {
			err := run(ctx, t.Context(), s, true, say, writer)
			writer.CloseWithError(err)
			ended <- err
		}()
		buffer := make([]byte, 64<<10)
		n, err := reader.Read(buffer)
		if err != nil {
			t.Fatalf("no lines: %v\n%s", err, said)
		}
		lines := string(buffer[:n])
		if file, err := os.ReadFile(s.in("dev.env")); err != nil || string(file) != lines {
			t.Errorf("dev.env = %q, %v; want what was printed", file, err)
		}
		if databaseURL == "" {
			databaseURL = setting(t, lines, "DATABASE_URL")
		} else if databaseURL != setting(t, lines, "DATABASE_URL") {
			t.Error("the second start has another database URL")
		}
		if got := setting(t, lines, "S3_BUCKET"); got != "given" {
			t.Errorf("S3_BUCKET = %q", got)
		}
		execute(t, setting(t, lines, "INSULA_MIGRATOR_URL"), sql)
		if err := run(t.Context(), t.Context(), s, true, say, io.Discard); err == nil || !strings.Contains(err.Error(), "another stack") {
			t.Errorf("second stack: %v", err)
		}
		interrupt()
		if err := <-ended; err != nil {
			t.Fatalf("after Ctrl-C: %v", err)
		}
		if _, err := os.Stat(s.in("dev.env")); !errors.Is(err, os.ErrNotExist) {
			t.Errorf("dev.env after the end: %v", err)
		}
	}
	if conn, err := pgx.Connect(t.Context(), databaseURL); err == nil {
		conn.Close(t.Context())
		t.Error("PostgreSQL still runs")
	}
}

func execute(t *testing.T, url, sql string) {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(t.Context())
	if _, err := conn.Exec(t.Context(), sql); err != nil {
		t.Fatalf("%s: %v", sql, err)
	}
}

func TestRunTests(t *testing.T) {
	s := withoutS3(t)
	say, said := silent()
	// A run whose process is gone has left this behind.
	leftover := s.in("test-999999999", "postgres")
	if err := os.MkdirAll(leftover, 0o755); err != nil {
		t.Fatal(err)
	}
	script := `case "$INSULA_TEST_DATABASE_URL $INSULA_TEST_REDIS_URL" in postgres://*redis://*) exit 7;; *) exit 1;; esac`
	err := runTests(t.Context(), t.Context(), s, []string{"sh", "-c", script}, say)
	if failed, ok := err.(*exec.ExitError); !ok || failed.ExitCode() != 7 { //nolint:errorlint // bare, as main takes it
		t.Fatalf("error = %v, want the command's exit code 7\n%s", err, said)
	}
	if err := runTests(t.Context(), t.Context(), s, []string{"true"}, say); err != nil {
		t.Fatalf("a command that succeeds: %v", err)
	}
	if left, _ := filepath.Glob(s.in("*")); len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
}

func TestCommandEndsWithItsParts(t *testing.T) {
	running := newStack()
	gone := make(chan struct{})
	close(gone)
	running.add(part{name: "PostgreSQL", done: gone, err: func() error { return nil }})
	err := runCommand(t.Context(), t.Context(), running, os.Environ(), []string{"sleep", "600"})
	if err == nil || !strings.Contains(err.Error(), "PostgreSQL is gone") {
		t.Fatalf("error = %v", err)
	}
}
