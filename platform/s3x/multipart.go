package s3x

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/aws/smithy-go"
	"github.com/google/uuid"
)

// What S3 allows of an upload in parts.
const (
	MinPartBytes = 5 << 20 // of every part but the last
	MaxPartBytes = 5 << 30
	MaxParts     = 10_000
)

// ErrParts says that the parts do not make an object: one is missing, has changed, or is too small.
var ErrParts = errors.New("the parts do not make an object")

// Part is a stored part of an object that is being uploaded.
type Part struct {
	Number int32 // from 1
	Size   int64 // in bytes
	ETag   string
}

// Unfinished is an upload in parts that was begun and neither completed nor aborted. The store keeps its
// parts, and whoever pays for the store pays for them.
type Unfinished struct {
	Key    Key
	Upload string
	Begun  time.Time
}

// Begin implements Blobs.
func (s *Store) Begin(ctx context.Context, key Key, contentType string) (string, error) {
	out, err := s.client.CreateMultipartUpload(ctx, &s3.CreateMultipartUploadInput{
		Bucket: &s.bucket, Key: aws.String(key.String()), ContentType: aws.String(contentType),
	})
	if err != nil {
		return "", translate(ctx, "begin upload of", key, err)
	}
	return aws.ToString(out.UploadId), nil
}

// PresignPart implements Blobs. The length is part of the signature.
func (s *Store) PresignPart(ctx context.Context, key Key, upload string, number int32, size int64, life time.Duration) (Link, error) {
	if err := CheckPart(number, size, life); err != nil {
		return Link{}, err
	}
	expires := s.clock.Now().Add(life)
	signed, err := s.presign.PresignUploadPart(ctx, &s3.UploadPartInput{
		Bucket: &s.bucket, Key: aws.String(key.String()), UploadId: &upload, PartNumber: aws.Int32(number), ContentLength: aws.Int64(size),
	}, s3.WithPresignExpires(life))
	if err != nil {
		return Link{}, unavailable(ctx, "sign link to a part of "+key.String(), err)
	}
	signed.SignedHeader.Del("Host") // part of the URL
	return Link{Method: signed.Method, URL: signed.URL, Header: signed.SignedHeader, Expires: expires}, nil
}

// CheckPart returns ErrLink for a part or a life that no store may sign.
func CheckPart(number int32, size int64, life time.Duration) error {
	switch {
	case number < 1 || number > MaxParts:
		return fmt.Errorf("%w: part %d", ErrLink, number)
	case size < 1 || size > MaxPartBytes:
		return fmt.Errorf("%w: part of %d bytes", ErrLink, size)
	}
	return checkLife(life)
}

// Parts implements Blobs.
func (s *Store) Parts(ctx context.Context, key Key, upload string) ([]Part, error) {
	var parts []Part
	pages := s3.NewListPartsPaginator(s.client, &s3.ListPartsInput{Bucket: &s.bucket, Key: aws.String(key.String()), UploadId: &upload})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return nil, translate(ctx, "list parts of", key, err)
		}
		for _, p := range page.Parts {
			parts = append(parts, Part{Number: aws.ToInt32(p.PartNumber), Size: aws.ToInt64(p.Size), ETag: unquote(p.ETag)})
		}
	}
	return parts, nil
}

// Complete implements Blobs.
func (s *Store) Complete(ctx context.Context, key Key, upload string, parts []Part) error {
	done := make([]types.CompletedPart, len(parts))
	for i, p := range parts {
		done[i] = types.CompletedPart{PartNumber: aws.Int32(p.Number), ETag: aws.String(p.ETag)}
	}
	_, err := s.client.CompleteMultipartUpload(ctx, &s3.CompleteMultipartUploadInput{
		Bucket: &s.bucket, Key: aws.String(key.String()), UploadId: &upload,
		MultipartUpload: &types.CompletedMultipartUpload{Parts: done},
	})
	if err != nil {
		return translate(ctx, "complete", key, err)
	}
	return nil
}

// Abort implements Blobs.
func (s *Store) Abort(ctx context.Context, key Key, upload string) error {
	_, err := s.client.AbortMultipartUpload(ctx, &s3.AbortMultipartUploadInput{
		Bucket: &s.bucket, Key: aws.String(key.String()), UploadId: &upload,
	})
	if err == nil {
		return nil
	}
	err = translate(ctx, "abort upload of", key, err)
	if errors.Is(err, ErrNotFound) {
		return nil
	}
	return err
}

// Unfinished implements Blobs.
func (s *Store) Unfinished(ctx context.Context, tenantID uuid.UUID) iter.Seq2[Unfinished, error] {
	return func(yield func(Unfinished, error) bool) {
		for u, err := range s.uploads(ctx, tenantID.String()+"/") {
			if err != nil {
				yield(Unfinished{}, unavailable(ctx, "list unfinished uploads of tenant "+tenantID.String(), err))
				return
			}
			if isEvidence(aws.ToString(u.Key)) {
				continue // somebody else's
			}
			key, err := parseKey(aws.ToString(u.Key))
			if !yield(Unfinished{Key: key, Upload: aws.ToString(u.UploadId), Begun: aws.ToTime(u.Initiated).UTC()}, err) {
				return
			}
		}
	}
}

// partsError recognizes answers about parts that do not fit together.
func partsError(answer smithy.APIError) bool {
	return slices.Contains([]string{"InvalidPart", "InvalidPartOrder", "EntityTooSmall"}, answer.ErrorCode())
}
