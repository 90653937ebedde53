package main

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"testing"
	"testing/iotest"
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

// TestABodyThatIsCutShortLeavesNothing hangs up in the middle of an object and
// of a part.
func TestABodyThatIsCutShortLeavesNothing(t *testing.T) {
	s := settings{addr: freeAddr(t), dir: t.TempDir(), region: "us-east-1", keys: keys{"AKTEST", "secret-of-the-test"}}
	defer start(t, s)()
	ctx, c := t.Context(), newClient("http://"+s.addr, s.region, s.keys)
	if err := runBucket(ctx, s.keys, []string{"-endpoint", "http://" + s.addr, "-name", "files"}); err != nil {
		t.Fatal(err)
	}
	bucket, object, length := aws.String("files"), aws.String("tenant/object"), aws.Int64(1<<20)
	made, err := c.CreateMultipartUpload(ctx, &s3.CreateMultipartUploadInput{Bucket: bucket, Key: object})
	if err != nil {
		t.Fatal(err)
	}
	signer := s3.NewPresignClient(c)
	put, err := signer.PresignPutObject(ctx, &s3.PutObjectInput{Bucket: bucket, Key: object, ContentLength: length})
	if err != nil {
		t.Fatal(err)
	}
	part, err := signer.PresignUploadPart(ctx, &s3.UploadPartInput{
		Bucket: bucket, Key: object, UploadId: made.UploadId, PartNumber: aws.Int32(1), ContentLength: length,
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, url := range []string{put.URL, part.URL} {
		body := io.MultiReader(bytes.NewReader(make([]byte, *length/2)), iotest.ErrReader(io.ErrClosedPipe))
		req, err := http.NewRequestWithContext(ctx, http.MethodPut, url, body)
		if err != nil {
			t.Fatal(err)
		}
		req.ContentLength = *length
		if resp, err := http.DefaultClient.Do(req); err == nil {
			resp.Body.Close()
		}
	}
	// What must not be there would be there a moment after the client is gone:
	// a whole part that is sent afterwards is seen, and the cut one is not.
	last, err := c.UploadPart(ctx, &s3.UploadPartInput{
		Bucket: bucket, Key: object, UploadId: made.UploadId, PartNumber: aws.Int32(2), Body: bytes.NewReader(make([]byte, *length)),
	})
	if err != nil || aws.ToString(last.ETag) == "" {
		t.Fatalf("a whole part: %v", err)
	}
	parts, err := c.ListParts(ctx, &s3.ListPartsInput{Bucket: bucket, Key: object, UploadId: made.UploadId})
	if err != nil || len(parts.Parts) != 1 || aws.ToInt32(parts.Parts[0].PartNumber) != 2 {
		t.Errorf("%d parts, %v", len(parts.Parts), err)
	}
	if _, err := c.HeadObject(ctx, &s3.HeadObjectInput{Bucket: bucket, Key: object}); err == nil {
		t.Error("half an object is there")
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
