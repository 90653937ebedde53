package e2e_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/insulahq/insula/platform/pgserver/child"
)

// baseDomain is the domain below which the stacks serve tenants by host name.
const baseDomain = "insula.test"

// settings make the stacks quick to log in to and keep limits out of the way of
// tests that come from one network.
var settings = []string{
	"INSULA_BASE_DOMAIN=" + baseDomain, "INSULA_BCRYPT_COST=10",
	"INSULA_RATE_LOGIN=1000000", "INSULA_RATE_TENANT=100000", "INSULA_RATE_USER=100000",
}

// stack is one `dev run` with its data directory.
type stack struct {
	name, dir string
	args      []string
	env       []string
	said      string // file of what it printed
	proc      *child.Process
	took      time.Duration // from the start until it was ready
	summary   summary       // of a run with everything
	parts     map[string]string
}

// summary is dev.json.
type summary struct {
	API         string           `json:"api"`
	Mail        string           `json:"mail"`
	S3          string           `json:"s3"`
	DatabaseURL string           `json:"database_url"`
	Operator    login            `json:"operator"`
	Tenants     map[string]login `json:"tenants"`
}

type login struct {
	Slug     string `json:"slug"`
	Email    string `json:"email"`
	Password string `json:"password"`
}

// startStack starts a stack with a data directory and ports of its own.
func startStack(name string, args ...string) (*stack, error) {
	s := &stack{name: name, dir: filepath.Join(work, name), args: args, said: filepath.Join(work, name+".out")}
	p, err := freePorts(6)
	if err != nil {
		return nil, err
	}
	s.env = append(cleanEnvironment(), settings...)
	s.env = append(s.env, "INSULA_DATA_DIR="+s.dir,
		"INSULA_HTTP_ADDR=127.0.0.1:"+p[0], "INSULA_ADMIN_ADDR=127.0.0.1:"+p[1], "INSULA_DEV_MAIL_ADDR=127.0.0.1:"+p[2],
		"INSULA_DEV_PG_PORT="+p[3], "INSULA_DEV_S3_PORT="+p[4], "INSULA_DEV_REDIS_PORT="+p[5])
	started.add(s)
	return s, s.start()
}

// houseOf and partsOf give the shared stacks to a test.
func houseOf(t *testing.T) *stack { t.Helper(); return must(sharedHouse())(t) }
func partsOf(t *testing.T) *stack { t.Helper(); return must(sharedParts())(t) }

// must makes the failure to get something a failure of the test.
func must[T any](v T, err error) func(t *testing.T) T {
	return func(t *testing.T) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

// command is `dev` with arguments, in the environment of the stack.
func (s *stack) command(args ...string) (*exec.Cmd, error) {
	dev, err := binary("dev")
	if err != nil {
		return nil, err
	}
	cmd := exec.Command(dev, args...)
	cmd.Env = s.env
	return cmd, nil
}

// startLimit is the longest time a stack may take, compiling on a busy machine
// included.
const startLimit = 8 * time.Minute

// start runs the stack and waits until it is ready.
func (s *stack) start() error {
	cmd, err := s.command(s.args...)
	if err != nil {
		return err
	}
	out, err := os.Create(s.said)
	if err != nil {
		return err
	}
	defer out.Close()
	cmd.Stdout, cmd.Stderr = out, out
	began := time.Now()
	if s.proc, err = child.Start(cmd, syscall.SIGTERM); err != nil {
		return fmt.Errorf("start dev: %w", err)
	}
	ready := s.readSummary
	if len(s.args) > 1 {
		ready = s.readParts
	}
	if err := waitFor(startLimit, s.proc.Done(), ready); err != nil {
		return fmt.Errorf("the stack %s: %w\n%s", s.name, err, s.output())
	}
	s.took = time.Since(began)
	return nil
}

// readSummary reads dev.json, which appears whole when everything is up.
func (s *stack) readSummary() error {
	text, err := os.ReadFile(filepath.Join(s.dir, "dev.json"))
	if err != nil {
		return err
	}
	if err := json.Unmarshal(text, &s.summary); err != nil {
		return err
	}
	return answers(s.summary.API + "/readyz")
}

// readParts reads dev.env, which appears whole when all parts are up.
func (s *stack) readParts() error {
	text, err := os.ReadFile(filepath.Join(s.dir, "dev.env"))
	if err != nil {
		return err
	}
	s.parts = map[string]string{}
	for line := range strings.Lines(string(text)) {
		if name, value, ok := strings.Cut(strings.TrimSpace(line), "="); ok {
			s.parts[name] = strings.Trim(value, "'")
		}
	}
	s.summary.DatabaseURL = s.parts["DATABASE_URL"]
	for _, entry := range s.env {
		if addr, ok := strings.CutPrefix(entry, "INSULA_DEV_MAIL_ADDR="); ok {
			s.summary.Mail = "http://" + addr + "/"
		}
	}
	return nil
}

// stopLimit is longer than all parts together may take.
const stopLimit = 90 * time.Second

// stop ends the stack as Ctrl-C does and checks that it goes in order: with
// code 0, and with every process that it has started. A stack that has ended
// already is left alone.
func (s *stack) stop() error {
	if s.proc == nil || s.proc.Ended() {
		return nil
	}
	family, err := descendants(s.proc.PID())
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(context.Background(), stopLimit)
	defer cancel()
	err = errors.Join(s.proc.Stop(ctx, syscall.SIGINT), s.proc.Err())
	for _, p := range family {
		if p.alive() {
			err = errors.Join(err, fmt.Errorf("process %d (%s) outlives its stack", p.pid, p.name))
		}
	}
	if err != nil {
		return fmt.Errorf("stop the stack %s: %w\n%s", s.name, err, s.output())
	}
	return nil
}

// reset removes what the stack keeps, which may be more than its directory.
func (s *stack) reset() error {
	cmd, err := s.command("reset")
	if err != nil {
		return err
	}
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("dev reset: %w\n%s", err, out)
	}
	return nil
}

// output is what the stack has printed so far.
func (s *stack) output() string {
	text, err := os.ReadFile(s.said)
	return strings.TrimSpace(string(bytes.ToValidUTF8(text, nil))) + errorText(err)
}

func errorText(err error) string {
	if err == nil {
		return ""
	}
	return " (" + err.Error() + ")"
}

// answers reports whether url answers 200.
func answers(url string) error {
	req, err := http.NewRequestWithContext(context.Background(), http.MethodGet, url, nil)
	if err != nil {
		return err
	}
	resp, err := web.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("%s answers %s", url, resp.Status)
	}
	return nil
}

// waitFor asks until ok has no complaint, ended is closed, or the limit is over.
func waitFor(limit time.Duration, ended <-chan struct{}, ok func() error) error {
	deadline := time.NewTimer(limit)
	defer deadline.Stop()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for {
		err := ok()
		if err == nil {
			return nil
		}
		select {
		case <-ended:
			return fmt.Errorf("it has ended (%w)", err)
		case <-deadline.C:
			return fmt.Errorf("not within %s: %w", limit, err)
		case <-tick.C:
		}
	}
}

// eventually is waitFor as a test's condition.
func eventually(t *testing.T, limit time.Duration, ok func() error) {
	t.Helper()
	if err := waitFor(limit, nil, ok); err != nil {
		t.Fatal(err)
	}
}
