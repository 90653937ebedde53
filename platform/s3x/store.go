package s3x

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	awsconfig "github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/feature/s3/transfermanager"
	tmtypes "github.com/aws/aws-sdk-go-v2/feature/s3/transfermanager/types"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"github.com/insulahq/insula/platform/clock"
	"github.com/insulahq/insula/platform/config"
)

// An upload holds about (concurrency+2) parts in memory, whatever its size.
const (
	partBytes   = 8 << 20
	concurrency = 2
)

// Waiting for the store: bodies may take as long as the caller's context allows, the rest may not.
const (
	dialTimeout   = 5 * time.Second
	answerTimeout = 30 * time.Second
	maxBackoff    = 500 * time.Millisecond
	abortTimeout  = 10 * time.Second
)

// Store is the Blobs of an S3 bucket. Safe for concurrent use.
type Store struct {
	bucket   string
	client   *s3.Client
	transfer *transfermanager.Client
	presign  *s3.PresignClient
	clock    clock.Clock
}

var _ Blobs = (*Store)(nil)

// Open prepares a store; it does not connect. Without an access key it uses the credentials of the AWS
// environment. The clock dates the expiry of links.
func Open(ctx context.Context, c config.S3, now clock.Clock) (*Store, error) {
	options := []func(*awsconfig.LoadOptions) error{
		awsconfig.WithRegion(c.Region), awsconfig.WithHTTPClient(httpClient()), awsconfig.WithRetryer(newRetryer),
	}
	if c.AccessKey != "" {
		fixed := credentials.NewStaticCredentialsProvider(c.AccessKey, c.SecretKey.Reveal(), "")
		options = append(options, awsconfig.WithCredentialsProvider(fixed))
	}
	loaded, err := awsconfig.LoadDefaultConfig(ctx, options...)
	if err != nil {
		return nil, fmt.Errorf("configure S3: %w", err)
	}
	client := s3.NewFromConfig(loaded, func(o *s3.Options) {
		o.UsePathStyle = c.PathStyle
		if c.Endpoint != "" {
			o.BaseEndpoint = aws.String(c.Endpoint)
		}
		// Only checksums we ask for: a default one would be signed into links, where clients cannot know it.
		o.RequestChecksumCalculation = aws.RequestChecksumCalculationWhenRequired
		o.DisableLogOutputChecksumValidationSkipped = true
	})
	transfer := transfermanager.New(client, func(o *transfermanager.Options) {
		o.PartSizeBytes = partBytes
		o.MultipartUploadThreshold = partBytes
		o.Concurrency = concurrency
		o.ChecksumAlgorithm = tmtypes.ChecksumAlgorithmSha256
		o.FailTimeout = abortTimeout // a cancelled upload still takes its parts away
	})
	return &Store{bucket: c.Bucket, client: client, transfer: transfer, presign: newPresigner(client, c.Public), clock: now}, nil
}

// newPresigner signs links for the address under which clients reach the store.
func newPresigner(client *s3.Client, public string) *s3.PresignClient {
	return s3.NewPresignClient(client, func(o *s3.PresignOptions) {
		if public != "" {
			o.ClientOptions = append(o.ClientOptions, func(o *s3.Options) { o.BaseEndpoint = aws.String(public) })
		}
	})
}

func httpClient() *awshttp.BuildableClient {
	return awshttp.NewBuildableClient().
		WithDialerOptions(func(d *net.Dialer) { d.Timeout = dialTimeout }).
		WithTransportOptions(func(t *http.Transport) { t.ResponseHeaderTimeout = answerTimeout })
}

// newRetryer tries again sooner than the SDK's, which waits up to 20 seconds: a person is waiting too.
func newRetryer() aws.Retryer {
	return retry.NewStandard(func(o *retry.StandardOptions) { o.MaxBackoff = maxBackoff })
}

// Ready implements Blobs.
func (s *Store) Ready(ctx context.Context) error {
	_, err := s.client.HeadBucket(ctx, &s3.HeadBucketInput{Bucket: &s.bucket})
	if err != nil {
		return unavailable(ctx, "bucket "+s.bucket, err)
	}
	return nil
}
