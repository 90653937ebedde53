package e2e_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptrace"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"
)

// TestStopUnderLoad asks the server to end while many clients are at it, some
// with work that takes long. Every request that the server has taken gets its
// whole answer, and what was answered stays. Clients learn that a request is
// taken by asking for it (Expect: 100-continue, RFC 9110 section 10.1.1).
func TestStopUnderLoad(t *testing.T) {
	s := partsOf(t)
	s.insula(t, "migrate")
	v := s.serve(t)
	n := s.found(t, v).newTenant(t, "drain")

	const enough = 100
	var l load
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	for i := range 24 {
		l.group.Go(func() {
			for l.one(ctx, n, i%3 == 0) {
			}
		})
	}
	eventually(t, time.Minute, func() error {
		if n := l.answered.Load(); n < enough {
			return fmt.Errorf("only %d answers so far", n)
		}
		return nil
	})
	before := l.answered.Load()
	err := v.stop(t)
	l.group.Wait()
	if err != nil {
		t.Errorf("asked to stop, the server ends with %v\n%s", err, v.tail())
	}
	if len(l.lost) > 0 {
		t.Errorf("%d requests that were taken are lost: %v", len(l.lost), l.lost)
	}
	t.Logf("%d answers before it was asked to stop, %d after, %d requests came too late", before, l.answered.Load()-before, l.late.Load())

	there := map[string]bool{}
	for _, u := range all[user](t, n.at(s.serve(t)).owner, "/v1/users?limit=200") {
		there[u.Email] = true
	}
	for _, email := range l.told {
		if !there[email] {
			t.Errorf("%s was answered with 201 and is lost", email)
		}
	}
}

// load is many clients at work.
type load struct {
	group          sync.WaitGroup
	answered, late atomic.Int64

	mu         sync.Mutex
	lost, told []string
}

// one sends a request, a login or a new user, and reports whether the server
// still answers.
func (l *load) one(ctx context.Context, n tenant, login bool) bool {
	email := fmt.Sprintf("user-%d@example.com", slugs.Add(1))
	c, r := n.owner, request{method: "POST", path: "/v1/users", body: object("email", email, "name", "Una User")}
	if login {
		c, r = c.stranger(), request{method: "POST", path: "/v1/auth/login", body: object("email", n.ownerEmail, "password", password)}
	}
	// A connection of its own: one that was used before may be closed by the
	// server just when the client writes to it again.
	r.header = map[string]string{"Connection": "close", "Expect": "100-continue"}
	var taken atomic.Bool
	a, err := c.try(httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{Got100Continue: func() { taken.Store(true) }}), r)
	if err != nil && !taken.Load() {
		l.late.Add(1)
		return false
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	switch {
	case err != nil:
		l.lost = append(l.lost, fmt.Sprintf("%s: %v", a.what, err))
		return false
	case a.status >= http.StatusMultipleChoices:
		l.lost = append(l.lost, fmt.Sprintf("%s answers %d: %s", a.what, a.status, a.body))
	case !login:
		l.told = append(l.told, email)
	}
	l.answered.Add(1)
	return true
}

// TestStopWithATransfer asks the server to end in the middle of an upload: it
// waits for it.
func TestStopWithATransfer(t *testing.T) {
	s := partsOf(t)
	s.insula(t, "migrate")
	v := s.serve(t)
	n := s.found(t, v).newTenant(t, "drain-upload")
	half := strings.Repeat("half of it ", 10_000) // more than any buffer of the client
	id := n.owner.do(t, "POST", "/v1/files", object("name", "slow.txt", "size", 2*len(half))).want(t, http.StatusCreated).text(t, "id")

	body := newGate(half)
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPut, v.api+"/v1/files/"+id+"/content", body)
	if err != nil {
		t.Fatal(err)
	}
	req.ContentLength = 2 * int64(len(half))
	req.Header = http.Header{"Authorization": {"Bearer " + n.owner.token}, "Content-Type": {"application/octet-stream"}, "Expect": {"100-continue"}}
	status := make(chan string, 1)
	go func() {
		resp, err := web.Do(req)
		if err != nil {
			status <- err.Error()
			return
		}
		defer resp.Body.Close()
		status <- resp.Status
	}()
	select {
	case <-body.halfway:
	case got := <-status:
		t.Fatalf("the upload ends before its end: %s", got)
	}
	v.proc.Signal(syscall.SIGTERM)
	eventually(t, time.Minute, func() error {
		if err := answers(v.api + "/livez"); errors.Is(err, syscall.ECONNREFUSED) {
			return nil
		}
		return errors.New("the server still takes connections")
	})
	if v.proc.Ended() {
		t.Error("the server did not wait for the upload")
	}
	close(body.proceed)
	if got := <-status; got != "200 OK" {
		t.Errorf("the upload ends with %s", got)
	}
	<-v.proc.Done()
	if err := v.proc.Err(); err != nil {
		t.Errorf("the server ends with %v\n%s", err, v.tail())
	}
	again := n.at(s.serve(t)).owner.do(t, "GET", "/v1/files/"+id+"/content", "").want(t, http.StatusOK)
	if string(again.body) != half+half {
		t.Errorf("%d bytes came back, not %d", len(again.body), 2*len(half))
	}
}

// gate is a body that stops halfway until it may proceed.
type gate struct {
	text             string
	sent             int
	halfway, proceed chan struct{}
}

func newGate(text string) *gate {
	return &gate{text: text, halfway: make(chan struct{}), proceed: make(chan struct{})}
}

// Read gives the text, waits, and gives it again.
func (g *gate) Read(p []byte) (int, error) {
	if g.sent == len(g.text) {
		close(g.halfway)
		<-g.proceed
	}
	whole := g.text + g.text
	limit := len(g.text)
	if g.sent >= limit {
		limit = len(whole)
	}
	n := copy(p, whole[g.sent:limit])
	g.sent += n
	if g.sent == len(whole) {
		return n, io.EOF
	}
	return n, nil
}
