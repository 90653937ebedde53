package s3x

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
)

// maxLinkLife is the longest life S3 allows; ours are minutes.
const maxLinkLife = 7 * 24 * time.Hour

// ErrLink says that a link was asked for with a size, checksum or life that cannot be.
var ErrLink = errors.New("impossible link")

// PresignPut implements Blobs. Length, type and checksum are part of the signature, so the store refuses
// content that differs from them.
func (s *Store) PresignPut(ctx context.Context, key Key, u Upload, life time.Duration) (Link, error) {
	if err := CheckUpload(u, life); err != nil {
		return Link{}, err
	}
	input := &s3.PutObjectInput{
		Bucket: &s.bucket, Key: aws.String(key.String()), ContentLength: aws.Int64(u.Size), ContentType: aws.String(u.ContentType),
	}
	if u.SHA256 != "" {
		sum, err := hex.DecodeString(u.SHA256)
		if err != nil {
			return Link{}, fmt.Errorf("%w: %w", ErrLink, err)
		}
		input.ChecksumSHA256 = aws.String(base64.StdEncoding.EncodeToString(sum))
	}
	if u.Once {
		input.IfNoneMatch = aws.String("*")
	}
	expires := s.clock.Now().Add(life)
	signed, err := s.presign.PresignPutObject(ctx, input, s3.WithPresignExpires(life))
	if err != nil {
		return Link{}, unavailable(ctx, "sign link to put "+key.String(), err)
	}
	signed.SignedHeader.Del("Host") // part of the URL
	return Link{Method: signed.Method, URL: signed.URL, Header: signed.SignedHeader, Expires: expires}, nil
}

// CheckUpload returns ErrLink for an upload or a life that no store may sign.
func CheckUpload(u Upload, life time.Duration) error {
	sum, err := hex.DecodeString(u.SHA256)
	switch {
	case u.Size < 1:
		return fmt.Errorf("%w: size below 1", ErrLink)
	case u.ContentType == "":
		return fmt.Errorf("%w: no content type", ErrLink)
	case u.SHA256 != "" && (err != nil || len(sum) != sha256.Size):
		return fmt.Errorf("%w: no SHA-256", ErrLink)
	}
	return checkLife(life)
}

func checkLife(life time.Duration) error {
	if life < time.Second || life > maxLinkLife {
		return fmt.Errorf("%w: life of %v", ErrLink, life)
	}
	return nil
}

// PresignGet implements Blobs.
func (s *Store) PresignGet(ctx context.Context, key Key, d Download, life time.Duration) (Link, error) {
	if err := checkLife(life); err != nil {
		return Link{}, err
	}
	input := &s3.GetObjectInput{Bucket: &s.bucket, Key: aws.String(key.String())}
	if d.ContentType != "" {
		input.ResponseContentType = &d.ContentType
	}
	if d.Disposition != "" {
		input.ResponseContentDisposition = &d.Disposition
	}
	expires := s.clock.Now().Add(life)
	signed, err := s.presign.PresignGetObject(ctx, input, s3.WithPresignExpires(life))
	if err != nil {
		return Link{}, unavailable(ctx, "sign link to get "+key.String(), err)
	}
	signed.SignedHeader.Del("Host") // part of the URL
	return Link{Method: http.MethodGet, URL: signed.URL, Header: signed.SignedHeader, Expires: expires}, nil
}
