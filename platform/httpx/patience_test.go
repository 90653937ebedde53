package httpx_test

import (
	"bufio"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/insulahq/insula/platform/httpx"
)

// A client that announces a body and keeps it is answered all the same, also
// where nobody would have read the body.
func TestABodyThatNeverComes(t *testing.T) {
	h := newHouse(t)
	httpx.HurryForTest(h.Server, 50*time.Millisecond)
	srv := httptest.NewServer(h)
	t.Cleanup(srv.Close)
	for start, want := range map[string]int{
		"POST /nothing":   404,
		"PUT /v1/things":  405,
		"GET /livez":      200,
		"POST /v1/things": 401,
		"POST /v1/things|Authorization: Bearer weak":                    403,
		"POST /v1/things|Authorization: Bearer good|Idempotency-Key: k": 400,
	} {
		t.Run(start, func(t *testing.T) {
			t.Parallel()
			c, err := net.Dial("tcp", srv.Listener.Addr().String())
			if err != nil {
				t.Fatal(err)
			}
			defer c.Close()
			lines := strings.Split(start, "|")
			lines[0] += " HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 100"
			if _, err := c.Write([]byte(strings.Join(lines, "\r\n") + "\r\n\r\n{")); err != nil {
				t.Fatal(err)
			}
			res, err := http.ReadResponse(bufio.NewReader(c), nil)
			if err != nil {
				t.Fatal(err)
			}
			res.Body.Close()
			if res.StatusCode != want || !res.Close {
				t.Errorf("%d, connection kept: %v", res.StatusCode, !res.Close)
			}
		})
	}
}

// The time to send a body ends with the body: it must not end the handler.
func TestTheDeadlineOfABodyEndsWithIt(t *testing.T) {
	h := newHouse(t)
	for _, key := range []string{"", "retry-1"} {
		c := &timed{ResponseRecorder: httptest.NewRecorder()}
		req := httptest.NewRequest("POST", "/v1/things", strings.NewReader(`{"name":"a","size":1}`))
		req.Header.Set("Authorization", "Bearer good")
		req.Header.Set("Content-Type", "application/json")
		req.Header.Set("Idempotency-Key", key)
		h.ServeHTTP(c, req)
		if c.Code != 201 {
			t.Fatalf("%d %s", c.Code, c.Body)
		}
		if n := len(c.reads); n < 2 || time.Until(c.reads[0]) <= 0 || !c.reads[n-1].IsZero() {
			t.Errorf("key %q: deadlines of reading %v", key, c.reads)
		}
		if len(c.writes) != 1 || time.Until(c.writes[0]) <= time.Minute {
			t.Errorf("key %q: deadlines of writing %v", key, c.writes)
		}
	}
}
