package infra_test

import (
	"crypto/md5"
	"encoding/hex"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/insulahq/insula/modules/files/infra"
)

// realClamd names the address of a clamd that listens already; it must find
// the EICAR test file and may have any limit of a stream.
const realClamd = "INSULA_TEST_CLAMD"

// eicar is the file that every scanner finds, in two pieces, so that none takes
// this one for it.
const eicar = `X5O!P%@AP[4\PZX54(P^)7CC)7}$EICAR` + `-STANDARD-ANTIVIRUS-TEST-FILE!$H+H*`

// streamLimit is what the clamd that this test starts takes of one content.
const streamLimit = 1 << 20

// TestRealClamd has a real clamd look at content: the one at the address that
// INSULA_TEST_CLAMD has, else one that is installed, started with a signature
// of the test file alone. Without either there is none to try.
func TestRealClamd(t *testing.T) {
	t.Parallel()
	addr, own := os.Getenv(realClamd), false
	if addr == "" {
		program := findClamd()
		if program == "" {
			t.Skipf("no clamd is installed, and %s names none", realClamd)
		}
		addr, own = startClamd(t, program), true
	}
	c := infra.NewClamd(addr, time.Minute)
	for name, tc := range map[string]struct {
		content string
		harmful bool
	}{
		"nothing":          {"", false},
		"a word":           {"hello", false},
		"several chunks":   {strings.Repeat("x", streamLimit/2), false},
		"the test file":    {eicar, true},
		"twice in a trice": {eicar, true},
	} {
		if finding, err := c.Scan(t.Context(), strings.NewReader(tc.content)); err != nil || (finding != "") != tc.harmful {
			t.Errorf("%s: %q, %v", name, finding, err)
		}
	}
	if !own {
		return
	}
	if finding, err := c.Scan(t.Context(), strings.NewReader(eicar)); err != nil || finding != "Insula-Test.UNOFFICIAL" {
		t.Errorf("the name of what was found: %q, %v", finding, err)
	}
	if finding, err := c.Scan(t.Context(), strings.NewReader(strings.Repeat("x", 4*streamLimit))); err != nil || finding != "larger than the scanner takes" {
		t.Errorf("more than it takes: %q, %v", finding, err)
	}
}

func findClamd() string {
	for _, name := range []string{"clamd", "/usr/sbin/clamd", "/usr/local/sbin/clamd", "/opt/homebrew/sbin/clamd"} {
		if path, err := exec.LookPath(name); err == nil {
			return path
		}
	}
	return ""
}

// startClamd starts a clamd that knows the test file and nothing else, waits
// until it listens, and stops it at the end.
func startClamd(t *testing.T, program string) (addr string) {
	t.Helper()
	dir := t.TempDir()
	sum := md5.Sum([]byte(eicar))
	write(t, filepath.Join(dir, "test.hdb"), fmt.Sprintf("%s:%d:Insula-Test\n", hex.EncodeToString(sum[:]), len(eicar)))
	addr = freeAddress(t)
	host, port, err := net.SplitHostPort(addr)
	if err != nil {
		t.Fatal(err)
	}
	settings := filepath.Join(dir, "clamd.conf")
	write(t, settings, fmt.Sprintf("Foreground yes\nDatabaseDirectory %s\nTemporaryDirectory %s\nTCPAddr %s\nTCPSocket %s\nStreamMaxLength %d\n",
		dir, dir, host, port, streamLimit))
	var said strings.Builder
	cmd := exec.CommandContext(t.Context(), program, "--config-file="+settings)
	cmd.Stdout, cmd.Stderr = &said, &said
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan struct{})
	go func() {
		_ = cmd.Wait() // killed at the end of the test, or seen below
		close(ended)
	}()
	t.Cleanup(func() {
		_ = cmd.Process.Kill() // it may have ended by itself
		<-ended
	})
	for {
		conn, err := new(net.Dialer).DialContext(t.Context(), "tcp", addr)
		if err == nil {
			conn.Close()
			return addr
		}
		select {
		case <-ended:
			t.Fatalf("clamd has ended: %s", &said)
		case <-time.After(20 * time.Millisecond):
		}
	}
}

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// freeAddress is an address on which nobody listens now.
func freeAddress(t *testing.T) string {
	t.Helper()
	l, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}
