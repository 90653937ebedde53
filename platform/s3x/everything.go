package s3x

import (
	"context"
	"fmt"
	"iter"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/google/uuid"
)

// Stock is how much of a tenant a store has.
type Stock struct {
	Objects int64 // of every sort, unfinished uploads not counted
	Bytes   int64
}

// Stock implements Blobs.
func (s *Store) Stock(ctx context.Context, tenantID uuid.UUID) (Stock, error) {
	var sum Stock
	err := s.everything(ctx, tenantID, func(page []types.Object) error {
		for _, o := range page {
			sum.Objects++
			sum.Bytes += aws.ToInt64(o.Size)
		}
		return nil
	})
	return sum, err
}

// Purge implements Blobs. A page of a listing, at most a thousand objects, is one request to delete.
func (s *Store) Purge(ctx context.Context, tenantID uuid.UUID) error {
	if err := s.abortEvery(ctx, tenantID); err != nil {
		return err
	}
	return s.everything(ctx, tenantID, func(page []types.Object) error {
		doomed := make([]types.ObjectIdentifier, len(page))
		for i, o := range page {
			doomed[i] = types.ObjectIdentifier{Key: o.Key}
		}
		out, err := s.client.DeleteObjects(ctx, &s3.DeleteObjectsInput{
			Bucket: &s.bucket, Delete: &types.Delete{Objects: doomed, Quiet: aws.Bool(true)},
		})
		if err != nil {
			return unavailable(ctx, "delete objects of tenant "+tenantID.String(), err)
		}
		for _, failed := range out.Errors {
			return fmt.Errorf("delete object %s: %w: %s", aws.ToString(failed.Key), ErrUnavailable, aws.ToString(failed.Message))
		}
		return nil
	})
}

// everything walks through all objects under a tenant's prefix, whatever their keys look like. The listing goes on
// from its place, so what is done to a page does not disturb it.
func (s *Store) everything(ctx context.Context, tenantID uuid.UUID, page func([]types.Object) error) error {
	pages := s3.NewListObjectsV2Paginator(s.client, &s3.ListObjectsV2Input{
		Bucket: &s.bucket, Prefix: aws.String(tenantID.String() + "/"),
	})
	for pages.HasMorePages() {
		found, err := pages.NextPage(ctx)
		if err != nil {
			return unavailable(ctx, "list everything of tenant "+tenantID.String(), err)
		}
		if len(found.Contents) == 0 {
			continue
		}
		if err := page(found.Contents); err != nil {
			return err
		}
	}
	return nil
}

// abortEvery ends every unfinished upload under a tenant's prefix.
func (s *Store) abortEvery(ctx context.Context, tenantID uuid.UUID) error {
	for u, err := range s.uploads(ctx, tenantID.String()+"/") {
		if err != nil {
			return unavailable(ctx, "list unfinished uploads of tenant "+tenantID.String(), err)
		}
		_, err := s.client.AbortMultipartUpload(ctx, &s3.AbortMultipartUploadInput{Bucket: &s.bucket, Key: u.Key, UploadId: u.UploadId})
		if err != nil && !gone(err) {
			return unavailable(ctx, "abort an upload of tenant "+tenantID.String(), err)
		}
	}
	return nil
}

// uploads walks through the unfinished uploads whose keys begin so, page by page: what is aborted meanwhile does
// not disturb it. It ends with an error.
func (s *Store) uploads(ctx context.Context, prefix string) iter.Seq2[types.MultipartUpload, error] {
	return func(yield func(types.MultipartUpload, error) bool) {
		in := &s3.ListMultipartUploadsInput{Bucket: &s.bucket, Prefix: &prefix}
		for more := true; more; {
			out, err := s.client.ListMultipartUploads(ctx, in)
			if err != nil {
				yield(types.MultipartUpload{}, err)
				return
			}
			for _, u := range out.Uploads {
				if !strings.HasPrefix(aws.ToString(u.Key), prefix) {
					continue // a server that does not know prefixes
				}
				if !yield(u, nil) {
					return
				}
			}
			in.KeyMarker, in.UploadIdMarker = out.NextKeyMarker, out.NextUploadIdMarker
			more = aws.ToBool(out.IsTruncated) && out.NextKeyMarker != nil
		}
	}
}
