package e2e_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
)

// commits strikes at one of the commits that pass a wire to PostgreSQL: before
// the database hears of it, or before the server hears that it was done.
type commits struct {
	mu     sync.Mutex
	strike func()
	left   int      // commits until the strike; 0 for none
	after  bool     // strike when it was done
	held   net.Conn // whose answer must not arrive
}

// commitMessage is the commit of a transaction, as it is sent.
var commitMessage = []byte("Q\x00\x00\x00\x0bcommit\x00")

func (c *commits) pass(on net.Conn, towards bool, data []byte) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !towards {
		if on != c.held {
			return true
		}
		c.held = nil
		c.strike()
		return false
	}
	if c.left == 0 || !bytes.Contains(data, commitMessage) {
		return true
	}
	if c.left--; c.left > 0 {
		return true
	}
	if c.after {
		c.held = on
		return true
	}
	c.strike()
	return false
}

// arm strikes at the n-th commit from now on.
func (c *commits) arm(n int, after bool, strike func()) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.left, c.after, c.held, c.strike = n, after, nil, strike
}

// struck ends an attempt, and reports whether the strike came.
func (c *commits) struck() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	came := c.left == 0
	c.left = 0
	return came
}

// TestServerKilledAtEveryCommit kills the server before and after each commit
// while an upload goes on that is scanned: when it is declared, completed, and
// found harmless, and when the work is handed over in between. Half of the senders go on once it is back, the others never come
// again. Then a sweep finds every file ready or gone, and what the files take
// up is what is there.
func TestServerKilledAtEveryCommit(t *testing.T) {
	const most = 25 // commits of one upload, and then some
	s := partsOf(t)
	s.insula(t, "migrate")
	u := must(url.Parse(s.parts["DATABASE_URL"]))(t)
	wire, toll := newRelay(t, u.Host), &commits{}
	wire.toll = toll.pass
	u.Host = wire.addr
	start := func() *server {
		return s.serve(t, "DATABASE_URL="+u.String(), "INSULA_CLAMD_ADDR="+clamd(t, func(string) string { return "OK" }))
	}
	v := start()
	n := s.found(t, v).newTenant(t, "commits")
	content := strings.Repeat("0123456789abcdef", 4<<10)
	kept, kills := map[string]bool{}, 0
	for _, after := range []bool{false, true} {
		for at := 1; at <= most; at++ {
			victim := v
			toll.arm(at, after, func() { go victim.kill() })
			f, completed := n.uploads(t, fmt.Sprintf("%t-%d", after, at), content)
			if !toll.struck() {
				t.Logf("after=%t: an upload has %d commits", after, at-1)
				kept[f.ID] = true
				break
			}
			<-victim.proc.Done()
			kills++
			v = start()
			n = n.at(v)
			switch {
			case completed:
				kept[f.ID] = true
			case f.ID != "" && at%2 == 0:
				n.goesOn(t, f, content)
				kept[f.ID] = true
			}
		}
	}
	if kills < 6 {
		t.Errorf("only %d kills: the commits are not seen", kills)
	}
	v.kill()
	n.timesOut(t, s)
	n.at(start()).settled(t, kept, content) // what a command has queued is found at the start
}

// uploads declares a file, sends its content to the store, completes it and
// waits until it is ready, or for as long as the server answers. Completed says
// that completing was answered.
func (n tenant) uploads(t *testing.T, name, content string) (f sending, completed bool) {
	t.Helper()
	a, err := n.owner.try(t.Context(), request{method: "POST", path: "/v1/files", body: object("name", name, "size", len(content))})
	if err != nil {
		return f, false
	}
	f = read[sending](t, a.want(t, http.StatusCreated))
	f.Upload.Link.send(t, content).want(t, http.StatusOK)
	if a, err = n.owner.try(t.Context(), request{method: "POST", path: "/v1/files/" + f.ID + "/complete"}); err != nil {
		return f, false
	}
	a.want(t, http.StatusOK)
	for deadline := time.Now().Add(time.Minute); time.Now().Before(deadline); time.Sleep(10 * time.Millisecond) {
		a, err = n.owner.try(t.Context(), request{method: "GET", path: "/v1/files/" + f.ID})
		if err != nil || a.text(t, "status") == "ready" {
			return f, true
		}
	}
	t.Fatalf("%s is not ready: %s", name, a.body)
	return f, true
}

// goesOn brings an upload as far as its sender can. What is being scanned when
// the server is killed is scanned again when a sweep finds it.
func (n tenant) goesOn(t *testing.T, f sending, content string) {
	t.Helper()
	path := "/v1/files/" + f.ID
	if n.owner.do(t, "GET", path, "").want(t, http.StatusOK).text(t, "status") != "pending" {
		return
	}
	if a := n.owner.do(t, "POST", path+"/complete", ""); a.status != http.StatusOK {
		a.refused(t, http.StatusConflict, "files.incomplete")
		bring(t, n.owner, f.ID, content).want(t, http.StatusOK)
	}
}

// timesOut lets the time of all uploads run out, and sweeps.
func (n tenant) timesOut(t *testing.T, s *stack) {
	t.Helper()
	conn := s.inspector(t)
	schema := schemaOf(t, conn, n.id)
	in := pgx.Identifier{schema}.Sanitize()
	for _, sql := range []string{
		"UPDATE " + in + ".file_uploads u SET expires_at = '2000-01-01' FROM " + in + ".files f WHERE f.id = u.file_id AND f.status = 'pending'",
		"UPDATE " + in + ".files SET updated_at = '2000-01-01' WHERE status = 'scanning'",
	} {
		if _, err := conn.Exec(t.Context(), sql); err != nil {
			t.Fatal(err)
		}
	}
	var swept struct {
		Uploads, Lost int
		Error         string
	}
	out := s.insula(t, "files", "sweep", "--tenant", n.slug, "--json")
	if err := json.Unmarshal(out, &swept); err != nil || swept.Error != "" || swept.Lost != 0 {
		t.Fatalf("the sweep tells %s, %v", out, err)
	}
	t.Logf("swept: %s", out)
}

// settled looks at what is left: every file is ready, what was acknowledged
// reads as it was sent, and nothing else takes up room.
func (n tenant) settled(t *testing.T, kept map[string]bool, content string) {
	t.Helper()
	var total, bytes int64
	eventually(t, time.Minute, func() error { // what was requeued is scanned
		total, bytes = 0, 0
		for _, f := range all[shownFile](t, n.owner, "/v1/files") {
			if f.Status != "ready" {
				return fmt.Errorf("%s is %s", f.Name, f.Status)
			}
			total, bytes = total+1, bytes+f.Size
		}
		return nil
	})
	for id := range kept {
		if a := n.owner.do(t, "GET", "/v1/files/"+id+"/content", "").want(t, http.StatusOK); string(a.body) != content {
			t.Errorf("%s reads as %d bytes", id, len(a.body))
		}
	}
	usage := read[fileUsage](t, n.owner.do(t, "GET", "/v1/usage", ""))
	if usage.Files != total || usage.Bytes != bytes || total < int64(len(kept)) {
		t.Errorf("%d files of %d bytes, %d kept, take up %+v", total, bytes, len(kept), usage)
	}
}

// shownFile is how a list shows a file.
type shownFile struct {
	Name, Status string
	Size         int64
}
