package pgserver

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
)

// notes collects progress lines.
type notes struct {
	mu    sync.Mutex
	lines []string
}

func (n *notes) add(line string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.lines = append(n.lines, line)
}

func (n *notes) has(part string) bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	return strings.Contains(strings.Join(n.lines, "\n"), part)
}

// home returns a directory that another user can reach too.
func home(t *testing.T) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "pg")
	t.Cleanup(func() { os.RemoveAll(Elsewhere(dir)) })
	return dir
}

// up starts a server and stops it with the test.
func up(t *testing.T, o Options) (*Server, *notes) {
	t.Helper()
	n := &notes{}
	o.Progress = n.add
	s, err := Start(t.Context(), o)
	if err != nil {
		t.Fatalf("start: %v", err)
	}
	t.Cleanup(func() { down(t, s) })
	return s, n
}

func down(t *testing.T, s *Server) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	if err := s.Stop(ctx); err != nil {
		t.Errorf("stop: %v", err)
	}
}

// query runs one statement and returns its single value as text.
func query(t *testing.T, url, sql string) string {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), url)
	if err != nil {
		t.Fatalf("connect: %v", err)
	}
	defer conn.Close(t.Context())
	var out string
	if err := conn.QueryRow(t.Context(), sql).Scan(&out); err != nil {
		t.Fatalf("%s: %v", sql, err)
	}
	return out
}

// execute runs one statement.
func execute(t *testing.T, url, sql string) {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), url)
	if err != nil {
		t.Fatalf("connect: %v", err)
	}
	defer conn.Close(t.Context())
	if _, err := conn.Exec(t.Context(), sql); err != nil {
		t.Fatalf("%s: %v", sql, err)
	}
}

// TestDurable walks one data directory through its life; making it anew for
// every case would take a second each.
func TestDurable(t *testing.T) {
	o := Options{Dir: home(t), Password: "first password"}
	data := filepath.Join(o.Dir, "data")
	if err := os.MkdirAll(filepath.Join(data+".tmp", "base"), 0o700); err != nil {
		t.Fatal(err) // what an interrupted initdb leaves behind
	}

	s, _ := up(t, o)
	for setting, want := range map[string]string{
		"fsync": "on", "wal_level": "logical", "max_connections": "100", "listen_addresses": "127.0.0.1",
		"unix_socket_directories": "", "password_encryption": "scram-sha-256", "TimeZone": "UTC", "data_checksums": "on",
	} {
		if got := query(t, s.URL("postgres"), "SHOW "+setting); got != want {
			t.Errorf("%s = %q, want %q", setting, got, want)
		}
	}
	if lib := query(t, s.URL("postgres"), "SHOW shared_preload_libraries"); s.bin.library(t.Context(), "pg_stat_statements") != (lib == "pg_stat_statements") {
		t.Errorf("preloaded: %q", lib)
	}
	if got := query(t, s.URL("postgres"), "SELECT pg_encoding_to_char(encoding)||' '||datcollate FROM pg_database WHERE datname='postgres'"); got != "UTF8 C" {
		t.Errorf("encoding and collation = %q", got)
	}
	execute(t, s.URL("postgres"), "CREATE TABLE kept AS SELECT 'yes'::text AS v")

	t.Run("a second start is refused", func(t *testing.T) {
		if _, err := Start(t.Context(), o); !errors.Is(err, ErrInUse) || !strings.Contains(err.Error(), fmt.Sprint(os.Getpid())) {
			t.Fatalf("error = %v, want ErrInUse with the holder's number", err)
		}
	})
	down(t, s)
	if err := s.Err(); err != nil {
		t.Errorf("after a clean stop, Err = %v", err)
	}

	t.Run("another password is refused with a reason", func(t *testing.T) {
		wrong := o
		wrong.Password = "other"
		if _, err := Start(t.Context(), wrong); err == nil || !strings.Contains(err.Error(), "another password") {
			t.Fatalf("error = %v", err)
		}
	})

	t.Run("data is kept and a busy port gives way", func(t *testing.T) {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		defer l.Close()
		busy := o
		busy.Port = l.Addr().(*net.TCPAddr).Port
		s, said := up(t, busy)
		if s.Port() <= busy.Port || !said.has("is busy") {
			t.Errorf("port %d instead of the busy %d, said %q", s.Port(), busy.Port, said.lines)
		}
		if got := query(t, s.URL("postgres"), "SELECT v FROM kept"); got != "yes" {
			t.Errorf("kept row = %q", got)
		}
		down(t, s)
	})

	t.Run("a pid file that names another program is removed", func(t *testing.T) {
		bystander := exec.Command("sleep", "600")
		if err := bystander.Start(); err != nil {
			t.Fatal(err)
		}
		defer func() { bystander.Process.Kill(); bystander.Wait() }()
		text := fmt.Sprintf("%d\n%s\n0\n5432\n\n127.0.0.1\n", bystander.Process.Pid, data)
		if err := os.WriteFile(filepath.Join(s.cluster.data(), "postmaster.pid"), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		s, said := up(t, o)
		if !said.has("stale postmaster.pid") {
			t.Errorf("said %q", said.lines)
		}
		if !alive(bystander.Process.Pid) {
			t.Error("the bystander was harmed")
		}
		down(t, s)
	})

	t.Run("a server left behind is stopped", func(t *testing.T) {
		left, err := Start(t.Context(), o)
		if err != nil {
			t.Fatal(err)
		}
		left.lock.Close() // as if its parent were gone
		s, said := up(t, o)
		if !said.has("left behind") {
			t.Errorf("said %q", said.lines)
		}
		<-left.Done()
		down(t, s)
	})

	t.Run("a killed server is noticed and recovers", func(t *testing.T) {
		s, _ := up(t, o)
		execute(t, s.URL("postgres"), "CREATE TABLE late AS SELECT 'written'::text AS v")
		if err := syscall.Kill(s.process.PID(), syscall.SIGKILL); err != nil {
			t.Fatal(err)
		}
		<-s.Done()
		if s.Err() == nil {
			t.Error("Err = nil after kill -9")
		}
		down(t, s)
		s, _ = up(t, o)
		if got := query(t, s.URL("postgres"), "SELECT v FROM late"); got != "written" {
			t.Errorf("row after recovery = %q", got)
		}
		down(t, s)
	})

	t.Run("another major version is refused with a reason", func(t *testing.T) {
		if err := os.WriteFile(filepath.Join(s.cluster.data(), "PG_VERSION"), []byte("12\n"), 0o600); err != nil {
			t.Fatal(err)
		}
		_, err := Start(t.Context(), o)
		var mismatch *MajorError
		if !errors.As(err, &mismatch) || mismatch.Data != 12 || !strings.Contains(err.Error(), BinEnv) {
			t.Fatalf("error = %v", err)
		}
	})
}

func TestForeignFilesAreLeftAlone(t *testing.T) {
	o := Options{Dir: home(t), Password: "x"}
	precious := filepath.Join(o.Dir, "data", "thesis.txt")
	if err := os.MkdirAll(filepath.Dir(precious), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(precious, []byte("x"), 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := Start(t.Context(), o); err == nil || !strings.Contains(err.Error(), "no PostgreSQL data") {
		t.Fatalf("error = %v", err)
	}
	if _, err := os.Stat(precious); err != nil {
		t.Fatal(err)
	}
}

func TestThrowawayComesFromTheCache(t *testing.T) {
	cache := t.TempDir()
	identity := func() string {
		s, _ := up(t, Options{Dir: home(t), Profile: Throwaway, CacheDir: cache})
		defer down(t, s)
		if got := query(t, s.URL("postgres"), "SHOW fsync"); got != "off" {
			t.Errorf("fsync = %q", got)
		}
		if conn, err := pgx.Connect(t.Context(), s.url("postgres", cachePassword)); err == nil {
			conn.Close(t.Context())
			t.Error("the cache's password still opens the server")
		}
		id := query(t, s.URL("postgres"), "SELECT system_identifier::text FROM pg_control_system()")
		down(t, s)
		if err := s.Err(); err != nil {
			t.Errorf("after Stop, Err = %v", err)
		}
		if _, err := os.Stat(s.cluster.data()); !errors.Is(err, os.ErrNotExist) {
			t.Errorf("data after Stop: %v", err)
		}
		return id
	}
	if first, second := identity(), identity(); first != second {
		t.Errorf("the second server was made anew: identifiers %s and %s", first, second)
	}
}

// TestClosedParents runs below a directory that only root can enter.
func TestClosedParents(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("an ordinary user runs PostgreSQL as itself")
	}
	dir := t.TempDir()
	if err := os.Chmod(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	o := Options{Dir: filepath.Join(dir, "pg"), Profile: Throwaway}
	t.Cleanup(func() { os.RemoveAll(Elsewhere(o.Dir)) })
	s, said := up(t, o)
	if !said.has("user namespace") && !said.has("/var/tmp") {
		t.Errorf("said %q", said.lines)
	}
	if got := query(t, s.URL("postgres"), "SELECT 'ok'"); got != "ok" {
		t.Errorf("query = %q", got)
	}
}

// TestElsewhere takes the last way out, a data directory in /var/tmp, on a
// machine that lets nobody below the home and knows no user namespaces.
func TestElsewhere(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("an ordinary user runs PostgreSQL as itself")
	}
	closed := t.TempDir()
	if err := os.Chmod(closed, 0o700); err != nil {
		t.Fatal(err)
	}
	bin, err := Find(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	users := candidates(closed)
	a, moved, err := chooseAmong(t.Context(), bin, closed, users, nil)
	t.Cleanup(func() { os.RemoveAll(Elsewhere(closed)) })
	if err != nil || moved != Elsewhere(closed) || a.uid == 0 {
		t.Fatalf("chosen: %q in %q, %v", a.describe, moved, err)
	}
	c := cluster{bin: bin, account: a, home: moved, profile: Throwaway}
	if err := c.initdb(t.Context(), "x"); err != nil {
		t.Fatal(err)
	}
	if got := owner(c.data()); got != a.uid {
		t.Errorf("the data belongs to user %d, want %d", got, a.uid)
	}
	if err := c.discard(); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(moved); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the stand-in stays: %v", err)
	}

	if err := os.Mkdir(moved, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.Chown(moved, 12345, 12345); err != nil {
		t.Fatal(err)
	}
	if _, err := elsewhere(closed, users[0]); err == nil {
		t.Fatal("took a directory that belongs to somebody else")
	}
}
