package s3x

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/feature/s3/transfermanager"
)

// streamParts is how many parts a stream of the guessed length has at most: half of what S3 allows, since it is
// a guess.
const streamParts = MaxParts / 2

// Stream implements Blobs. About four parts are in memory at once: 32 MiB up to a guess of 39 GiB, and more in
// proportion above it.
func (s *Store) Stream(ctx context.Context, key Key, r io.Reader, about int64, contentType string) (Object, error) {
	body, sum := &countingReader{r: r}, sha256.New()
	out, err := s.transfer.UploadObject(ctx, &transfermanager.UploadObjectInput{
		Bucket: &s.bucket, Key: aws.String(key.String()), Body: io.TeeReader(body, sum), ContentType: aws.String(contentType),
	}, func(o *transfermanager.Options) { o.PartSizeBytes = max(partBytes, about/streamParts) })
	if err != nil {
		s.takeAway(ctx, key)
	}
	switch {
	case body.err != nil:
		return Object{}, fmt.Errorf("stream object %s: %w", key, body.err)
	case err != nil:
		return Object{}, translate(ctx, "stream", key, err)
	}
	return Object{
		Key: key, Size: body.n, ETag: unquote(out.ETag), SHA256: hex.EncodeToString(sum.Sum(nil)), ContentType: contentType,
	}, nil
}

// countingReader counts what it gives, and remembers an error of its source.
type countingReader struct {
	r   io.Reader
	n   int64
	err error
}

// Read implements io.Reader.
func (c *countingReader) Read(p []byte) (int, error) {
	n, err := c.r.Read(p)
	c.n += int64(n)
	if err != nil && !errors.Is(err, io.EOF) {
		c.err = err
	}
	return n, err
}

// Discard implements Blobs.
func (s *Store) Discard(ctx context.Context, key Key) error {
	if err := s.abortAll(ctx, key); err != nil {
		return unavailable(ctx, "discard object "+key.String(), err)
	}
	return s.Delete(ctx, key)
}

// takeAway aborts what an upload that failed has left: the transfer manager aborts too, but a part that was
// still under way may have come after it. What is left all the same is for a sweeper.
func (s *Store) takeAway(ctx context.Context, key Key) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), abortTimeout)
	defer cancel()
	_ = s.abortAll(ctx, key) // the upload has failed already, and says why
}

// abortAll ends the unfinished uploads under one key.
func (s *Store) abortAll(ctx context.Context, key Key) error {
	var failed error
	for u, err := range s.uploads(ctx, key.String()) {
		if err != nil {
			return errors.Join(failed, err)
		}
		if aws.ToString(u.Key) == key.String() {
			failed = errors.Join(failed, s.Abort(ctx, key, aws.ToString(u.UploadId)))
		}
	}
	return failed
}
