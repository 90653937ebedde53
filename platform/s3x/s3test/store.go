// Package s3test gives tests a store of file contents: a bucket of their own on a real S3 server, or one in
// memory, both held to the same conformance suite.
package s3test

import (
	"context"
	"fmt"
	"os"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"github.com/insulahq/insula/platform/clock"
	"github.com/insulahq/insula/platform/config"
	"github.com/insulahq/insula/platform/id"
	"github.com/insulahq/insula/platform/s3x"
	"github.com/insulahq/insula/platform/secret"
)

// region is what test servers sign for.
const region = "us-east-1"

// Config returns the settings of a fresh bucket on the server named by INSULA_TEST_S3 (its URL),
// INSULA_TEST_S3_ACCESS_KEY and INSULA_TEST_S3_SECRET_KEY, and removes the bucket after the test. Without
// them the test fails: a test that is skipped in silence proves nothing.
func Config(t testing.TB) config.S3 {
	t.Helper()
	c := config.S3{
		Endpoint: os.Getenv("INSULA_TEST_S3"), Region: region, PathStyle: true, Bucket: "test-" + id.System{}.New().String(),
		AccessKey: os.Getenv("INSULA_TEST_S3_ACCESS_KEY"), SecretKey: secret.New(os.Getenv("INSULA_TEST_S3_SECRET_KEY")),
	}
	if c.Endpoint == "" {
		t.Fatal("this test needs an S3 server: run it through `make test`, or set INSULA_TEST_S3, INSULA_TEST_S3_ACCESS_KEY and INSULA_TEST_S3_SECRET_KEY")
	}
	if err := MakeBucket(context.Background(), c); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { removeBucket(t, rawClient(c), c.Bucket) })
	return c
}

// MakeBucket makes the bucket that the settings name.
func MakeBucket(ctx context.Context, c config.S3) error {
	if _, err := rawClient(c).CreateBucket(ctx, &s3.CreateBucketInput{Bucket: &c.Bucket}); err != nil {
		return fmt.Errorf("make bucket on %s: %w", c.Endpoint, err)
	}
	return nil
}

// Open returns the store of a fresh bucket.
func Open(t testing.TB) *s3x.Store {
	t.Helper()
	store, err := s3x.Open(context.Background(), Config(t), clock.System{})
	if err != nil {
		t.Fatal(err)
	}
	return store
}

func rawClient(c config.S3) *s3.Client {
	return s3.New(s3.Options{
		Region: c.Region, BaseEndpoint: &c.Endpoint, UsePathStyle: true,
		Credentials: credentials.NewStaticCredentialsProvider(c.AccessKey, c.SecretKey.Reveal(), ""),
	})
}

func removeBucket(t testing.TB, client *s3.Client, bucket string) {
	ctx := context.Background() // that of the test has ended
	pages := s3.NewListObjectsV2Paginator(client, &s3.ListObjectsV2Input{Bucket: &bucket})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			t.Errorf("empty bucket: %v", err)
			return
		}
		for _, o := range page.Contents {
			if _, err := client.DeleteObject(ctx, &s3.DeleteObjectInput{Bucket: &bucket, Key: o.Key}); err != nil {
				t.Errorf("empty bucket: %v", err)
			}
		}
	}
	if _, err := client.DeleteBucket(ctx, &s3.DeleteBucketInput{Bucket: &bucket}); err != nil {
		t.Errorf("remove bucket: %v", err)
	}
}

// OpenUploads returns how many uploads in parts were begun in the bucket and neither completed nor aborted.
func OpenUploads(t testing.TB, c config.S3) int {
	t.Helper()
	out, err := rawClient(c).ListMultipartUploads(context.Background(), &s3.ListMultipartUploadsInput{Bucket: &c.Bucket})
	if err != nil {
		t.Fatal(err)
	}
	return len(out.Uploads)
}

// PutRaw stores an object under any name, as somebody else might.
func PutRaw(t testing.TB, c config.S3, name string) {
	t.Helper()
	_, err := rawClient(c).PutObject(context.Background(), &s3.PutObjectInput{
		Bucket: &c.Bucket, Key: aws.String(name), ChecksumAlgorithm: types.ChecksumAlgorithmSha256,
	})
	if err != nil {
		t.Fatal(err)
	}
}
