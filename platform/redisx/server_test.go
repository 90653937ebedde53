package redisx_test

import (
	"bufio"
	"context"
	"fmt"
	"net"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/alicebob/miniredis/v2"
	"github.com/redis/go-redis/v9"

	"github.com/insulahq/insula/platform/clock"
	"github.com/insulahq/insula/platform/redisx"
	"github.com/insulahq/insula/platform/secret"
)

const password = "test-pw"

// server is a Redis that a test can take away and bring back.
type server interface {
	url() string
	stop(t *testing.T)
	start(t *testing.T)
}

// onEachServer runs a test against miniredis and, where it is installed, against redis-server.
func onEachServer(t *testing.T, test func(t *testing.T, s server)) {
	t.Run("miniredis", func(t *testing.T) {
		m := miniredis.RunT(t)
		m.RequireAuth(password)
		test(t, &mini{m})
	})
	binary, err := exec.LookPath("redis-server")
	if err != nil {
		t.Log("redis-server is not in PATH: the contract was checked on miniredis alone")
		return
	}
	t.Run("redis-server", func(t *testing.T) {
		s := &process{binary: binary, port: freePort(t)}
		s.start(t)
		t.Cleanup(func() { s.stop(t) })
		test(t, s)
	})
}

type mini struct{ *miniredis.Miniredis }

func (m *mini) url() string { return "redis://:" + password + "@" + m.Addr() + "/0" }

func (m *mini) stop(*testing.T) { m.Close() }

func (m *mini) start(t *testing.T) {
	t.Helper()
	if err := m.Restart(); err != nil {
		t.Fatal(err)
	}
}

type process struct {
	binary string
	port   int
	cmd    *exec.Cmd
}

func (p *process) url() string { return fmt.Sprintf("redis://:%s@127.0.0.1:%d/0", password, p.port) }

func (p *process) start(t *testing.T) {
	t.Helper()
	p.cmd = exec.Command(p.binary, "-")
	p.cmd.Stdin = strings.NewReader(fmt.Sprintf("bind 127.0.0.1\nport %d\nrequirepass %s\nsave \"\"\nappendonly no\n", p.port, password))
	output, err := p.cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	var log strings.Builder
	for lines := bufio.NewScanner(output); lines.Scan(); {
		log.WriteString(lines.Text() + "\n")
		if strings.Contains(lines.Text(), "Ready to accept connections") {
			return
		}
	}
	t.Fatalf("redis-server ended:\n%s", log.String())
}

func (p *process) stop(t *testing.T) {
	t.Helper()
	if p.cmd == nil {
		return
	}
	if err := p.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Error(err)
	}
	_ = p.cmd.Wait() // it ends with a status of its own
	p.cmd = nil
}

func freePort(t *testing.T) int {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().(*net.TCPAddr).Port
}

// open returns a client of ours.
func open(t *testing.T, s server, c clock.Clock) *redisx.Client {
	t.Helper()
	client, err := redisx.Open(secret.New(s.url()), c)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := client.Close(); err != nil {
			t.Error(err)
		}
	})
	return client
}

// raw returns a client of the library, to look behind ours.
func raw(t *testing.T, s server) *redis.Client {
	t.Helper()
	o, err := redis.ParseURL(s.url())
	if err != nil {
		t.Fatal(err)
	}
	r := redis.NewClient(o)
	t.Cleanup(func() { _ = r.Close() })
	return r
}

// eventually waits for a condition that others bring about.
func eventually(t *testing.T, what string, condition func() bool) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	tick := time.NewTicker(2 * time.Millisecond)
	defer tick.Stop()
	for !condition() {
		select {
		case <-tick.C:
		case <-ctx.Done():
			t.Fatalf("waited in vain: %s", what)
		}
	}
}
