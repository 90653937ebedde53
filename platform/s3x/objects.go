package s3x

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"io"
	"iter"
	"strconv"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/feature/s3/transfermanager"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/google/uuid"
)

// Put implements Blobs. What is too large to be sent in one piece goes through the transfer manager, which also
// sends content that cannot be rewound over a connection without TLS; each part travels with its SHA-256.
func (s *Store) Put(ctx context.Context, key Key, r io.Reader, size int64, contentType string) (Object, error) {
	body := NewSizedReader(r, size)
	if size <= onePiece {
		return s.putWhole(ctx, key, body, size, contentType)
	}
	sum := sha256.New()
	out, err := s.transfer.UploadObject(ctx, &transfermanager.UploadObjectInput{
		Bucket: &s.bucket, Key: aws.String(key.String()), Body: io.TeeReader(body, sum),
		ContentLength: aws.Int64(size), ContentType: aws.String(contentType),
	})
	if err != nil {
		s.takeAway(ctx, key)
	}
	switch {
	case body.Err() != nil:
		return Object{}, fmt.Errorf("put object %s: %w", key, body.Err())
	case err != nil:
		return Object{}, translate(ctx, "put", key, err)
	}
	return Object{
		Key: key, Size: size, ETag: unquote(out.ETag), SHA256: hex.EncodeToString(sum.Sum(nil)), ContentType: contentType,
	}, nil
}

// onePiece is the largest content that is sent in one piece: as much as an upload in parts has in memory. A store
// writes it once, and need not put parts together.
const onePiece = partBytes * (concurrency + 2)

// putWhole is Put for content that has room in memory.
func (s *Store) putWhole(ctx context.Context, key Key, body *SizedReader, size int64, contentType string) (Object, error) {
	content := make([]byte, size)
	_, err := io.ReadFull(body, content)
	if err == nil {
		_, err = io.Copy(io.Discard, body) // to its end: there may be more than announced
	}
	if err != nil {
		return Object{}, fmt.Errorf("put object %s: %w", key, err)
	}
	sum := sha256.Sum256(content)
	out, err := s.client.PutObject(ctx, &s3.PutObjectInput{
		Bucket: &s.bucket, Key: aws.String(key.String()), Body: bytes.NewReader(content), ContentLength: aws.Int64(size),
		ContentType: aws.String(contentType), ChecksumSHA256: aws.String(base64.StdEncoding.EncodeToString(sum[:])),
	})
	if err != nil {
		return Object{}, translate(ctx, "put", key, err)
	}
	return Object{Key: key, Size: size, ETag: unquote(out.ETag), SHA256: hex.EncodeToString(sum[:]), ContentType: contentType}, nil
}

// Get implements Blobs.
func (s *Store) Get(ctx context.Context, key Key, part Range) (Content, error) {
	input := &s3.GetObjectInput{Bucket: &s.bucket, Key: aws.String(key.String())}
	if part != (Range{}) {
		text, err := part.header()
		if err != nil {
			return Content{}, fmt.Errorf("get object %s: %w", key, err)
		}
		input.Range = &text
	}
	out, err := s.client.GetObject(ctx, input)
	if err != nil {
		return Content{}, translate(ctx, "get", key, err)
	}
	object := Object{
		Key: key, Size: aws.ToInt64(out.ContentLength), ETag: unquote(out.ETag),
		ContentType: aws.ToString(out.ContentType), Modified: aws.ToTime(out.LastModified).UTC(),
	}
	if total, ok := totalSize(aws.ToString(out.ContentRange)); ok {
		object.Size = total
	}
	return Content{ReadCloser: out.Body, Object: object, Length: aws.ToInt64(out.ContentLength)}, nil
}

func (r Range) header() (string, error) {
	switch {
	case r.Offset < 0 || r.Length < 0:
		return "", ErrRange
	case r.Length == 0:
		return fmt.Sprintf("bytes=%d-", r.Offset), nil
	}
	return fmt.Sprintf("bytes=%d-%d", r.Offset, r.Offset+r.Length-1), nil
}

// totalSize reads the size of the whole object from a header such as "bytes 0-9/100".
func totalSize(contentRange string) (int64, bool) {
	_, total, _ := strings.Cut(contentRange, "/")
	n, err := strconv.ParseInt(total, 10, 64)
	return n, err == nil
}

// Head implements Blobs.
func (s *Store) Head(ctx context.Context, key Key) (Object, error) {
	out, err := s.client.HeadObject(ctx, &s3.HeadObjectInput{
		Bucket: &s.bucket, Key: aws.String(key.String()), ChecksumMode: types.ChecksumModeEnabled,
	})
	if err != nil {
		return Object{}, translate(ctx, "head", key, err)
	}
	return Object{
		Key: key, Size: aws.ToInt64(out.ContentLength), ETag: unquote(out.ETag), SHA256: hexSum(out.ChecksumSHA256),
		ContentType: aws.ToString(out.ContentType), Modified: aws.ToTime(out.LastModified).UTC(),
	}, nil
}

// hexSum converts a checksum of the whole content; that of an upload in parts is one of the parts' sums,
// marked by a suffix, and says nothing about the content.
func hexSum(checksum *string) string {
	raw, err := base64.StdEncoding.DecodeString(aws.ToString(checksum))
	if err != nil || len(raw) != sha256.Size {
		return ""
	}
	return hex.EncodeToString(raw)
}

func unquote(etag *string) string { return strings.Trim(aws.ToString(etag), `"`) }

// Delete implements Blobs.
func (s *Store) Delete(ctx context.Context, key Key) error {
	_, err := s.client.DeleteObject(ctx, &s3.DeleteObjectInput{Bucket: &s.bucket, Key: aws.String(key.String())})
	if err != nil {
		return translate(ctx, "delete", key, err)
	}
	return nil
}

// List implements Blobs.
func (s *Store) List(ctx context.Context, tenantID uuid.UUID) iter.Seq2[Object, error] {
	return func(yield func(Object, error) bool) {
		pages := s3.NewListObjectsV2Paginator(s.client, &s3.ListObjectsV2Input{
			Bucket: &s.bucket, Prefix: aws.String(tenantID.String() + "/"),
		})
		for pages.HasMorePages() {
			page, err := pages.NextPage(ctx)
			if err != nil {
				yield(Object{}, unavailable(ctx, "list objects of tenant "+tenantID.String(), err))
				return
			}
			for _, entry := range page.Contents {
				if isEvidence(aws.ToString(entry.Key)) {
					continue
				}
				key, err := parseKey(aws.ToString(entry.Key))
				object := Object{Key: key, Size: aws.ToInt64(entry.Size), ETag: unquote(entry.ETag), Modified: aws.ToTime(entry.LastModified).UTC()}
				if !yield(object, err) {
					return
				}
			}
		}
	}
}

// ListEvidence implements Blobs.
func (s *Store) ListEvidence(ctx context.Context, tenantID uuid.UUID, e Evidence, after int64) iter.Seq2[int64, error] {
	return func(yield func(int64, error) bool) {
		input := &s3.ListObjectsV2Input{Bucket: &s.bucket, Prefix: aws.String(evidencePrefix(tenantID, e))}
		if after > 0 {
			input.StartAfter = aws.String(EvidenceKey(tenantID, e, after).String())
		}
		pages := s3.NewListObjectsV2Paginator(s.client, input)
		for pages.HasMorePages() {
			page, err := pages.NextPage(ctx)
			if err != nil {
				yield(0, unavailable(ctx, "list evidence of tenant "+tenantID.String(), err))
				return
			}
			for _, entry := range page.Contents {
				if !yield(parseNumber(aws.ToString(entry.Key))) {
					return
				}
			}
		}
	}
}
