package e2e_test

import (
	"errors"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"
)

// TestRedisAway takes Redis away, which is a cache and a limiter: first it
// refuses connections, then it hangs. Everything works without it, and with it
// again afterwards. A server that has never seen it starts all the same.
func TestRedisAway(t *testing.T) {
	s := partsOf(t)
	s.insula(t, "migrate")
	u := must(url.Parse(s.parts["REDIS_URL"]))(t)
	wire := newRelay(t, u.Host)
	u.Host = wire.addr
	v := s.serve(t, "REDIS_URL="+u.String())
	n := s.found(t, v).newTenant(t, "redis")
	n.mainJob(t)

	for name, away := range map[string]func(){"refuses": wire.cut, "hangs": wire.stall} {
		away()
		began := time.Now()
		n.mainJob(t)
		if err := answers(v.api + "/readyz"); err != nil {
			t.Errorf("with a Redis that %s: %v", name, err)
		}
		t.Logf("with a Redis that %s: %.2f s", name, time.Since(began).Seconds())
		wire.mend(t)
		eventually(t, time.Minute, func() error { // it comes back by itself
			n.owner.do(t, "GET", "/v1/me", "").want(t, http.StatusOK)
			if !wire.used() {
				return errors.New("nobody asks Redis any more")
			}
			return nil
		})
		n.mainJob(t)
	}

	wire.cut()
	n.at(s.serve(t, "REDIS_URL="+u.String())).mainJob(t)
	n.at(s.serve(t, "REDIS_URL=")).mainJob(t)
}

// TestS3Away takes S3 away, before and in the middle of a transfer.
func TestS3Away(t *testing.T) {
	s := partsOf(t)
	s.insula(t, "migrate")
	u := must(url.Parse(s.parts["S3_ENDPOINT"]))(t)
	wire := newRelay(t, u.Host)
	u.Host = wire.addr
	v := s.serve(t, "S3_ENDPOINT="+u.String())
	n := s.found(t, v).newTenant(t, "s3")
	content := strings.Repeat("0123456789abcdef", 512<<10) // 8 MiB
	ready := upload(t, n.owner, "ready.txt", content)
	declare := func(name string) string {
		return n.owner.do(t, "POST", "/v1/files", object("name", name, "size", len(content))).want(t, http.StatusCreated).text(t, "id")
	}
	unbroken, broken := declare("before.txt"), declare("during.txt")

	for name, tc := range map[string]struct {
		id   string
		away func()
	}{
		"before a transfer": {unbroken, wire.cut},
		"during a transfer": {broken, func() { wire.cutAfter(1 << 20) }},
	} {
		tc.away()
		a := bring(t, n.owner, tc.id, content)
		a.refused(t, http.StatusServiceUnavailable, "")
		if a.header.Get("Retry-After") == "" {
			t.Errorf("%s: 503 does not say when to try again", name)
		}
		n.owner.recorded(t, a, "files.upload", "failed", "unavailable")
		if status := n.owner.do(t, "GET", "/v1/files/"+tc.id, "").want(t, http.StatusOK).text(t, "status"); status != "pending" {
			t.Errorf("%s: the file is %s", name, status)
		}
		n.owner.do(t, "GET", "/v1/files/"+tc.id+"/content", "").refused(t, http.StatusConflict, "files.not_ready")
		n.owner.do(t, "GET", "/v1/files/"+ready+"/content", "").refused(t, http.StatusServiceUnavailable, "")
		client{api: v.api}.do(t, "GET", "/readyz", "").refused(t, http.StatusServiceUnavailable, "")
		client{api: v.api}.do(t, "GET", "/livez", "").want(t, http.StatusOK)
		n.mainJob(t)

		wire.mend(t)
		eventually(t, 30*time.Second, func() error { return answers(v.api + "/readyz") })
		bring(t, n.owner, tc.id, content).want(t, http.StatusOK)
		for _, id := range []string{tc.id, ready} {
			if got := n.owner.do(t, "GET", "/v1/files/"+id+"/content", "").want(t, http.StatusOK); string(got.body) != content {
				t.Errorf("%s: %d bytes came back", name, len(got.body))
			}
		}
	}
}
