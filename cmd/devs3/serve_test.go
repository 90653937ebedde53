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
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/s3"
)

// TestObjectSurvivesRestart puts an object, restarts the server on the same
// directory and reads the bytes and the metadata back. It also sees a wrong
// secret refused. The two servers run one after the other, because the gateway
// allows one instance per process.
func TestObjectSurvivesRestart(t *testing.T) {
	s := settings{addr: freeAddr(t), dir: t.TempDir(), region: "us-east-1", accessKey: "AKTEST", secretKey: "secret-of-the-test"}
	body := bytes.Repeat([]byte("insula"), 1000)
	ctx := t.Context()

	stop := start(t, s)
	c := client(s, s.secretKey)
	if _, err := c.CreateBucket(ctx, &s3.CreateBucketInput{Bucket: aws.String("files")}); err != nil {
		t.Fatalf("create bucket: %v", err)
	}
	_, err := c.PutObject(ctx, &s3.PutObjectInput{
		Bucket: aws.String("files"), Key: aws.String("tenant/object"),
		Body: bytes.NewReader(body), Metadata: map[string]string{"owner": "acme"},
	})
	if err != nil {
		t.Fatalf("put: %v", err)
	}
	if _, err := client(s, "wrong").ListBuckets(ctx, &s3.ListBucketsInput{}); err == nil {
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

// TestSettingsNameWhatIsMissing keeps the first failure readable.
func TestSettingsNameWhatIsMissing(t *testing.T) {
	none := func(string) string { return "" }
	if err := run(nil, none, nil); err == nil || err.Error() != "-dir is required" {
		t.Fatalf("without -dir: %v", err)
	}
	if err := run([]string{"-dir", t.TempDir()}, none, nil); err == nil {
		t.Fatal("started without keys")
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

// client signs with secret, so that a test can sign wrongly.
func client(s settings, secret string) *s3.Client {
	return s3.New(s3.Options{
		BaseEndpoint: aws.String("http://" + s.addr), Region: s.region, UsePathStyle: true,
		Credentials: credentials.NewStaticCredentialsProvider(s.accessKey, secret, ""),
	})
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
