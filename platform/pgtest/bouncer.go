package pgtest

import (
	"context"
	"fmt"
	"net"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/insulahq/insula/platform/secret"
)

// Bouncer puts a real PgBouncer in transaction mode, with a single server
// connection, in front of a database and returns the URL through it. Where none
// is installed the test is skipped.
func Bouncer(t *testing.T, app secret.Value) secret.Value {
	t.Helper()
	bouncer, err := exec.LookPath("pgbouncer")
	if err != nil {
		bouncer = "/usr/sbin/pgbouncer"
	}
	if _, err := os.Stat(bouncer); err != nil {
		t.Skip("PgBouncer is not installed: apt-get install pgbouncer")
	}
	u, err := url.Parse(app.Reveal())
	if err != nil {
		t.Fatal(err)
	}
	port := freePort(t)
	cmd := exec.Command(bouncer, bouncerArgs(t, u, port)...)
	cmd.Stderr = os.Stderr
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	})
	u.Host = fmt.Sprintf("127.0.0.1:%d", port)
	await(t, u.Host)
	return secret.New(u.String())
}

// bouncerArgs writes the configuration and names it. PgBouncer refuses to be root,
// so it may be for another user to read: the password is a throw-away one.
func bouncerArgs(t *testing.T, u *url.URL, port int) []string {
	t.Helper()
	password, _ := u.User.Password()
	dir, database := t.TempDir(), filepath.Base(u.Path)
	path := filepath.Join(dir, "pgbouncer.ini")
	config := fmt.Sprintf(bouncerConfig, database, u.Hostname(), u.Port(), database, u.User.Username(), password, port)
	if err := os.WriteFile(path, []byte(config), 0o644); err != nil {
		t.Fatal(err)
	}
	if os.Geteuid() != 0 {
		return []string{path}
	}
	for d := dir; d != os.TempDir() && len(d) > 1; d = filepath.Dir(d) {
		if err := os.Chmod(d, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	return []string{"-u", "nobody", path}
}

const bouncerConfig = `[databases]
%s = host=%s port=%s dbname=%s user=%s password=%s
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = %d
unix_socket_dir =
auth_type = any
pool_mode = transaction
default_pool_size = 1
min_pool_size = 0
max_client_conn = 100
`

func freePort(t *testing.T) int {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().(*net.TCPAddr).Port
}

// await waits until somebody answers at the address.
func await(t *testing.T, address string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	for {
		var d net.Dialer
		c, err := d.DialContext(ctx, "tcp", address)
		if err == nil {
			c.Close()
			return
		}
		if ctx.Err() != nil {
			t.Fatalf("nobody answers at %s: %v", address, err)
		}
	}
}
