package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
)

// corsMaxAge is how long, in seconds, a browser may remember the answer to its
// preflight question.
const corsMaxAge = 600

// runBucket makes sure that a bucket exists and answers browsers.
func runBucket(ctx context.Context, k keys, args []string) error {
	var endpoint, region, name, origins string
	flags := flag.NewFlagSet("devs3 bucket", flag.ContinueOnError)
	flags.StringVar(&endpoint, "endpoint", "", "`URL` of the S3 service")
	flags.StringVar(&region, "region", "us-east-1", "region the signatures name")
	flags.StringVar(&name, "name", "", "`name` of the bucket")
	flags.StringVar(&origins, "cors-origins", "*", "web `origins` that may use the bucket, separated by commas")
	if err := flags.Parse(args); err != nil {
		return err
	}
	if endpoint == "" || name == "" {
		return errors.New("-endpoint and -name are required")
	}
	c := newClient(endpoint, region, k)
	_, err := c.CreateBucket(ctx, &s3.CreateBucketInput{Bucket: &name})
	var exists *types.BucketAlreadyOwnedByYou
	if err != nil && !errors.As(err, &exists) {
		return fmt.Errorf("make bucket %s: %w", name, err)
	}
	_, err = c.PutBucketCors(ctx, &s3.PutBucketCorsInput{Bucket: &name, CORSConfiguration: cors(strings.Split(origins, ","))})
	if err != nil {
		return fmt.Errorf("set CORS of bucket %s: %w", name, err)
	}
	return nil
}

// cors lets pages of the given origins upload and download with presigned URLs,
// and read the headers that a resumable transfer depends on.
func cors(origins []string) *types.CORSConfiguration {
	return &types.CORSConfiguration{CORSRules: []types.CORSRule{{
		AllowedOrigins: origins,
		AllowedMethods: []string{"GET", "HEAD", "PUT", "POST"},
		AllowedHeaders: []string{"*"},
		ExposeHeaders:  []string{"ETag", "Content-Range", "Accept-Ranges", "x-amz-version-id", "x-amz-checksum-sha256", "x-amz-checksum-crc64nvme"},
		MaxAgeSeconds:  aws.Int32(corsMaxAge),
	}}}
}

// newClient speaks to a service that has its buckets in the path.
func newClient(endpoint, region string, k keys) *s3.Client {
	return s3.New(s3.Options{
		BaseEndpoint: &endpoint, Region: region, UsePathStyle: true,
		Credentials: credentials.NewStaticCredentialsProvider(k.access, k.secret, ""),
	})
}
