package e2e_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/insulahq/insula/platform/pgserver/child"
)

// server is an `insula serve` that a test has started on the parts of a stack,
// and may kill.
type server struct {
	proc  *child.Process
	api   string
	admin string // the private listener
	log   string
}

// servers numbers the logs.
var servers atomic.Int64

// environment is that of the server on the parts of the stack, with changes.
func (s *stack) environment(changes ...string) []string {
	env := append(cleanEnvironment(), settings...)
	for name, value := range s.parts {
		env = append(env, name+"="+value)
	}
	return append(env, changes...) // of two, the last counts
}

// insula runs a command of the binary to its end and returns what it printed.
func (s *stack) insula(t *testing.T, args ...string) []byte {
	t.Helper()
	out, err := s.tryInsula(t, args...)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// tryInsula is insula for a command that may fail; what it complained of is in
// the error.
func (s *stack) tryInsula(t *testing.T, args ...string) ([]byte, error) {
	t.Helper()
	file := must(binary("insula"))(t)
	cmd := exec.CommandContext(t.Context(), file, args...)
	cmd.Env = s.environment()
	var complaint strings.Builder
	cmd.Stderr = &complaint
	out, err := cmd.Output()
	if err != nil {
		err = fmt.Errorf("insula %s: %w\n%s", strings.Join(args, " "), err, complaint.String())
	}
	return out, err
}

// launch starts a server without waiting for it.
func (s *stack) launch(t *testing.T, changes ...string) *server {
	t.Helper()
	file := must(binary("insula"))(t)
	ports := must(freePorts(2))(t)
	v := &server{api: "http://127.0.0.1:" + ports[0], admin: "http://127.0.0.1:" + ports[1], log: filepath.Join(work, fmt.Sprintf("serve-%d.log", servers.Add(1)))}
	out, err := os.Create(v.log)
	if err != nil {
		t.Fatal(err)
	}
	defer out.Close()
	cmd := exec.Command(file, "serve")
	cmd.Env = s.environment(append(changes, "INSULA_HTTP_ADDR=127.0.0.1:"+ports[0], "INSULA_ADMIN_ADDR=127.0.0.1:"+ports[1])...)
	cmd.Stdout, cmd.Stderr = out, out
	if v.proc, err = child.Start(cmd, syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		v.kill()
		if t.Failed() {
			t.Logf("the server's log ends with\n%s", v.tail())
		}
	})
	return v
}

// serve starts a server and waits until it is ready.
func (s *stack) serve(t *testing.T, changes ...string) *server {
	t.Helper()
	v := s.launch(t, changes...)
	if err := waitFor(time.Minute, v.proc.Done(), func() error { return answers(v.api + "/readyz") }); err != nil {
		t.Fatalf("insula serve: %v\n%s", err, v.tail())
	}
	return v
}

// kill ends the server as a power failure would.
func (v *server) kill() {
	v.proc.Signal(syscall.SIGKILL)
	<-v.proc.Done()
}

// stop asks the server to end and returns how it did.
func (v *server) stop(t *testing.T) error {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	if err := v.proc.Stop(ctx, syscall.SIGTERM); err != nil {
		return err
	}
	return v.proc.Err()
}

// tail is the end of the server's log.
func (v *server) tail() string {
	text, err := os.ReadFile(v.log)
	lines := strings.Split(strings.TrimSpace(string(text)), "\n")
	return strings.Join(lines[max(0, len(lines)-15):], "\n") + errorText(err)
}

// operatorPassword opens the operator's tenant of the parts.
const operatorPassword = "operators need long words"

// found migrates the database of the parts and makes the operator's tenant,
// unless an earlier test has, and lets its administrator in on a server.
func (s *stack) found(t *testing.T, v *server) landlord {
	t.Helper()
	out := s.insula(t, "tenant", "create", "--kind", "operator", "--slug", "operator", "--name", "Operator", "--admin-email", "ops@operator.example", "--json")
	var made struct {
		Created bool
		Admin   struct{ Token string }
	}
	if err := json.Unmarshal(out, &made); err != nil {
		t.Fatalf("insula tenant create prints %s: %v", out, err)
	}
	c := client{api: v.api, tenant: "operator"}
	if made.Created {
		body := object("token", made.Admin.Token, "password", operatorPassword, "name", "Otto Operator")
		c.do(t, "POST", "/v1/auth/invitations/accept", body).want(t, http.StatusOK)
	}
	return landlord{operator: c.as(c.login(t, "ops@operator.example", operatorPassword)), mail: s.summary.Mail}
}

// prepared is a server on the parts of a stack, to be killed, with a look past
// its walls and its operator.
func prepared(t *testing.T) (*stack, *pgx.Conn, *server, landlord) {
	t.Helper()
	s := partsOf(t)
	s.insula(t, "migrate")
	conn, v := s.inspector(t), s.serve(t)
	return s, conn, v, s.found(t, v)
}

// at is the same landlord, and tenant, on another server.
func (l landlord) at(v *server) landlord {
	l.operator.api = v.api
	return l
}

func (n tenant) at(v *server) tenant {
	n.landlord, n.owner.api = n.landlord.at(v), v.api
	return n
}

// mainJob does a bit of everything in a tenant: it fails the test when
// something does not work.
func (n tenant) mainJob(t *testing.T) {
	t.Helper()
	email := fmt.Sprintf("user-%d@example.com", slugs.Add(1))
	path := n.owner.do(t, "POST", "/v1/users", object("email", email, "name", "Una User", "roles", []string{"member"})).want(t, http.StatusCreated).header.Get("Location")
	n.owner.do(t, "PATCH", path, object("name", "Una Ursula"), "If-Match: *").want(t, http.StatusOK)
	if found := all[user](t, n.owner, "/v1/users?email="+email); len(found) != 1 || found[0].Name != "Una Ursula" {
		t.Errorf("users list %+v", found)
	}
	fresh := n.owner.refresh(t, n.owner.login(t, n.ownerEmail, password))
	n.owner.as(fresh).do(t, "GET", "/v1/me", "").want(t, http.StatusOK)
	n.owner.as(fresh).do(t, "POST", "/v1/auth/logout", "").want(t, http.StatusNoContent)
	n.owner.as(fresh).do(t, "GET", "/v1/me", "").refused(t, http.StatusUnauthorized, "")
	if found := n.owner.trail(t, "operation=users.update"); len(found) == 0 {
		t.Error("nothing is in the trail")
	}
}
