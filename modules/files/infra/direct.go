package infra

import (
	"context"
	"encoding/hex"
	"errors"
	"time"

	"github.com/google/uuid"

	"github.com/insulahq/insula/modules/files/domain"
	"github.com/insulahq/insula/platform/s3x"
)

// LinkPut implements domain.Direct.
func (c *Contents) LinkPut(ctx context.Context, object uuid.UUID, size int64, contentType string, sha256 []byte, life time.Duration) (domain.Link, error) {
	return toLink(c.blobs.PresignPut(ctx, c.key(object), s3x.Upload{
		Size: size, ContentType: contentType, SHA256: hex.EncodeToString(sha256), Once: true,
	}, life))
}

// LinkGet implements domain.Direct.
func (c *Contents) LinkGet(ctx context.Context, object uuid.UUID, contentType, disposition string, life time.Duration) (domain.Link, error) {
	return toLink(c.blobs.PresignGet(ctx, c.key(object), s3x.Download{ContentType: contentType, Disposition: disposition}, life))
}

// LinkPart implements domain.Direct.
func (c *Contents) LinkPart(ctx context.Context, object uuid.UUID, multipart string, number int32, size int64, life time.Duration) (domain.Link, error) {
	return toLink(c.blobs.PresignPart(ctx, c.key(object), multipart, number, size, life))
}

func toLink(l s3x.Link, err error) (domain.Link, error) {
	if err != nil {
		return domain.Link{}, translate(err)
	}
	header := make(map[string]string, len(l.Header))
	for name := range l.Header {
		header[name] = l.Header.Get(name)
	}
	return domain.Link{Method: l.Method, URL: l.URL, Header: header, Expires: l.Expires}, nil
}

// Begin implements domain.Multiparts.
func (c *Contents) Begin(ctx context.Context, object uuid.UUID, contentType string) (string, error) {
	multipart, err := c.blobs.Begin(ctx, c.key(object), contentType)
	return multipart, translate(err)
}

// Parts implements domain.Multiparts.
func (c *Contents) Parts(ctx context.Context, object uuid.UUID, multipart string) ([]domain.Stored, error) {
	parts, err := c.blobs.Parts(ctx, c.key(object), multipart)
	if err != nil {
		return nil, over(err)
	}
	stored := make([]domain.Stored, len(parts))
	for i, p := range parts {
		stored[i] = domain.Stored{Number: p.Number, Size: p.Size, ETag: p.ETag}
	}
	return stored, nil
}

// Assemble implements domain.Multiparts.
func (c *Contents) Assemble(ctx context.Context, object uuid.UUID, multipart string, stored []domain.Stored) error {
	parts := make([]s3x.Part, len(stored))
	for i, s := range stored {
		parts[i] = s3x.Part{Number: s.Number, Size: s.Size, ETag: s.ETag}
	}
	return over(c.blobs.Complete(ctx, c.key(object), multipart, parts))
}

// Abort implements domain.Multiparts.
func (c *Contents) Abort(ctx context.Context, object uuid.UUID, multipart string) error {
	return translate(c.blobs.Abort(ctx, c.key(object), multipart))
}

// over declares errors about an upload in parts.
func over(err error) error {
	switch {
	case errors.Is(err, s3x.ErrNotFound):
		return domain.ErrFilled.Because(err)
	case errors.Is(err, s3x.ErrParts):
		return domain.ErrIncomplete.Because(err)
	}
	return translate(err)
}
