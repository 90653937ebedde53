package main

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
)

// TestObjectSurvivesRestart puts an object, restarts the server on the same
// directory and reads the bytes and the metadata back. It also sees a wrong
// secret refused. The two servers run one after the other, because the gateway
// allows one instance per process.
func TestObjectSurvivesRestart(t *testing.T) {
	s := settings{addr: freeAddr(t), dir: t.TempDir(), region: "us-east-1", keys: keys{"AKTEST", "secret-of-the-test"}}
	body := bytes.Repeat([]byte("insula"), 1000)
	ctx := t.Context()

	stop := start(t, s)
	c := newClient("http://"+s.addr, s.region, s.keys)
	for range 2 { // the second time it is there already
		args := []string{"-endpoint", "http://" + s.addr, "-name", "files", "-cors-origins", "https://acme.example"}
		if err := runBucket(ctx, s.keys, args); err != nil {
			t.Fatalf("make bucket: %v", err)
		}
	}
	preflight(t, s.addr, "https://acme.example", http.StatusOK)
	preflight(t, s.addr, "https://evil.example", http.StatusForbidden)
	_, err := c.PutObject(ctx, &s3.PutObjectInput{
		Bucket: aws.String("files"), Key: aws.String("tenant/object"),
		Body: bytes.NewReader(body), Metadata: map[string]string{"owner": "acme"},
	})
	if err != nil {
		t.Fatalf("put: %v", err)
	}
	if _, err := newClient("http://"+s.addr, s.region, keys{s.keys.access, "wrong"}).ListBuckets(ctx, &s3.ListBucketsInput{}); err == nil {
		t.Fatal("a wrong secret was accepted")
	}
	stop()

	stop = start(t, s)
	defer stop()
	out, err := c.GetObject(ctx, &s3.GetObjectInput{Bucket: aws.String("files"), Key: aws.String("tenant/object")})
	if err != nil {
		t.Fatalf("get after restart: %v", err)
	}
	defer out.Body.Close()
	got, err := io.ReadAll(out.Body)
	if err != nil || !bytes.Equal(got, body) {
		t.Fatalf("after restart: %d bytes, error %v; want the %d bytes put", len(got), err, len(body))
	}
	if out.Metadata["owner"] != "acme" {
		t.Fatalf("metadata after restart = %v", out.Metadata)
	}
}

// TestRunNamesWhatIsMissing keeps the first failure readable.
func TestRunNamesWhatIsMissing(t *testing.T) {
	env := func(string) string { return "x" }
	for _, c := range []struct {
		args   []string
		getenv func(string) string
		want   string
	}{
		{[]string{"serve", "-dir", "x"}, func(string) string { return "" }, "DEVS3_ACCESS_KEY and DEVS3_SECRET_KEY are required"},
		{nil, env, "want a command: serve or bucket"},
		{[]string{"sing"}, env, `unknown command "sing": want serve or bucket`},
		{[]string{"serve"}, env, "-dir is required"},
		{[]string{"bucket", "-name", "x"}, env, "-endpoint and -name are required"},
	} {
		if err := run(t.Context(), c.args, c.getenv, nil); err == nil || err.Error() != c.want {
			t.Errorf("run(%q) = %v, want %s", c.args, err, c.want)
		}
	}
}

// preflight asks what a browser asks before it uploads from a page.
func preflight(t *testing.T, addr, origin string, want int) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodOptions, "http://"+addr+"/files/tenant/object", nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Origin", origin)
	req.Header.Set("Access-Control-Request-Method", http.MethodPut)
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	if resp.StatusCode != want {
		t.Errorf("preflight from %s answered %d, want %d", origin, resp.StatusCode, want)
	}
}

// start serves in the background, returns once the health page answers, and
// hands back a function that stops the server and waits for its end.
func start(t *testing.T, s settings) (stop func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- serve(ctx, s) }()
	deadline := time.After(20 * time.Second)
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for {
		if resp, err := http.Get("http://" + s.addr + healthPath); err == nil {
			resp.Body.Close()
			if resp.StatusCode == http.StatusOK {
				return func() {
					cancel()
					if err := <-done; err != nil && !errors.Is(err, context.Canceled) {
						t.Errorf("serve ended with %v", err)
					}
				}
			}
		}
		select {
		case err := <-done:
			t.Fatalf("server ended at once: %v", err)
		case <-deadline:
			t.Fatal("server did not become healthy")
		case <-tick.C:
		}
	}
}

// freeAddr picks a loopback port that nobody listens on now.
func freeAddr(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}
