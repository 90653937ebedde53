package e2e_test

import (
	"fmt"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

// becomes waits until a file has a status, and returns why.
func (n tenant) becomes(t *testing.T, id, status string) (reason string) {
	t.Helper()
	eventually(t, 2*time.Minute, func() error {
		f := read[struct{ Status, Reason string }](t, n.owner.do(t, "GET", "/v1/files/"+id, "").want(t, http.StatusOK))
		if f.Status != status {
			return fmt.Errorf("it is %s (%s)", f.Status, f.Reason)
		}
		reason = f.Reason
		return nil
	})
	return reason
}

// TestAScannerDecidesWhatIsRead has a server with a scanner receive content
// by a link and through itself: nobody reads any before it was looked at, and
// what is harmful nobody reads at all.
func TestAScannerDecidesWhatIsRead(t *testing.T) {
	s := partsOf(t)
	s.insula(t, "migrate")
	look := make(chan struct{})
	v := s.serve(t, "INSULA_CLAMD_ADDR="+clamd(t, func(content string) string {
		<-look
		if strings.Contains(content, "virus") {
			return "Test-Signature FOUND"
		}
		return "OK"
	}))
	n := s.found(t, v).newTenant(t, "scanner")
	contents, ids := map[string]string{"good": "a good word", "bad": "a virus inside"}, map[string][]string{}
	for kind, content := range contents {
		byLink := declare(t, n.owner, "name", kind+" by link", "size", len(content))
		byLink.Upload.Link.send(t, content).want(t, http.StatusOK)
		done := n.owner.do(t, "POST", "/v1/files/"+byLink.ID+"/complete", "").want(t, http.StatusOK)
		through := declare(t, n.owner, "name", kind+" through", "size", len(content))
		for _, a := range []answer{done, bring(t, n.owner, through.ID, content).want(t, http.StatusOK)} {
			if status := a.text(t, "status"); status != "scanning" {
				t.Errorf("%s content is %s before anybody has looked at it", kind, status)
			}
		}
		ids[kind] = []string{byLink.ID, through.ID}
		for _, id := range ids[kind] {
			n.owner.do(t, "GET", "/v1/files/"+id+"/content", "").refused(t, http.StatusConflict, "files.not_ready")
		}
	}
	close(look)
	for _, id := range ids["good"] {
		n.becomes(t, id, "ready")
		if a := n.owner.do(t, "GET", "/v1/files/"+id+"/content", "").want(t, http.StatusOK); string(a.body) != contents["good"] {
			t.Errorf("it reads %q", a.body)
		}
	}
	for _, id := range ids["bad"] {
		if reason := n.becomes(t, id, "quarantined"); !strings.Contains(reason, "Test-Signature") {
			t.Errorf("it is kept away because of %q", reason)
		}
		n.owner.do(t, "GET", "/v1/files/"+id+"/content", "").refused(t, http.StatusConflict, "files.quarantined")
		n.owner.do(t, "POST", "/v1/files/"+id+"/shares", object("expires_in", 3600)).refused(t, http.StatusConflict, "files.quarantined")
	}
	if found := idsIn(t, n.owner, "/v1/files?status=quarantined"); len(found) != len(ids["bad"]) {
		t.Errorf("%d files are listed as quarantined", len(found))
	}
}

// TestServerKilledWhileScanning kills the server while the scanner has the
// content and has not answered. Nobody reads it meanwhile; a sweep finds what
// was left, and the next server has it looked at again.
func TestServerKilledWhileScanning(t *testing.T) {
	s := partsOf(t)
	s.insula(t, "migrate")
	var looks atomic.Int32
	began, never := make(chan struct{}), make(chan struct{})
	t.Cleanup(func() { close(never) })
	scanner := "INSULA_CLAMD_ADDR=" + clamd(t, func(string) string {
		if looks.Add(1) == 1 {
			close(began)
			<-never
		}
		return "OK"
	})
	v := s.serve(t, scanner)
	n := s.found(t, v).newTenant(t, "scanning")
	const content = "looked at twice"
	f := declare(t, n.owner, "name", "a", "size", len(content))
	f.Upload.Link.send(t, content).want(t, http.StatusOK)
	n.owner.do(t, "POST", "/v1/files/"+f.ID+"/complete", "").want(t, http.StatusOK)
	select {
	case <-began:
	case <-time.After(time.Minute):
		t.Fatal("nobody asks the scanner")
	}
	n.owner.do(t, "GET", "/v1/files/"+f.ID+"/content", "").refused(t, http.StatusConflict, "files.not_ready")
	v.kill()
	n.timesOut(t, s)
	n = n.at(s.serve(t, scanner))
	n.settled(t, map[string]bool{f.ID: true}, content)
	if looks.Load() < 2 {
		t.Errorf("it is ready, and was looked at %d times", looks.Load())
	}
}
