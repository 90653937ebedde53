package infra

import (
	"context"
	"encoding/hex"
	"errors"
	"io"

	"github.com/google/uuid"

	"github.com/insulahq/insula/modules/files/domain"
	"github.com/insulahq/insula/platform/errs"
	"github.com/insulahq/insula/platform/s3x"
	"github.com/insulahq/insula/platform/scope"
)

// Contents implements domain.Contents for the tenant of one request: as with a
// transaction, who holds it can reach the objects of that tenant alone.
type Contents struct {
	blobs  s3x.Blobs
	tenant uuid.UUID
}

// NewContents makes the contents of the request's tenant.
func NewContents(blobs s3x.Blobs, r scope.Request) *Contents {
	return &Contents{blobs: blobs, tenant: r.Tenant.ID}
}

// Put implements domain.Contents.
func (c *Contents) Put(ctx context.Context, object uuid.UUID, r io.Reader, size int64, contentType string) error {
	_, err := c.blobs.Put(ctx, c.key(object), r, size, contentType)
	return translate(err)
}

// Open implements domain.Contents.
func (c *Contents) Open(ctx context.Context, object uuid.UUID, from, length int64) (io.ReadCloser, error) {
	content, err := c.blobs.Get(ctx, c.key(object), s3x.Range{Offset: from, Length: length})
	if errors.Is(err, s3x.ErrNotFound) {
		return nil, domain.ErrLost.Because(err)
	}
	if err != nil {
		return nil, translate(err)
	}
	return content, nil
}

// Stat implements domain.Contents.
func (c *Contents) Stat(ctx context.Context, object uuid.UUID) (domain.Stat, error) {
	head, err := c.blobs.Head(ctx, c.key(object))
	if errors.Is(err, s3x.ErrNotFound) {
		return domain.Stat{}, domain.ErrIncomplete.Because(err)
	}
	if err != nil {
		return domain.Stat{}, translate(err)
	}
	sum, err := hex.DecodeString(head.SHA256)
	if err != nil || len(sum) == 0 {
		sum = nil
	}
	return domain.Stat{Size: head.Size, SHA256: sum}, nil
}

// Remove implements domain.Contents.
func (c *Contents) Remove(ctx context.Context, object uuid.UUID) error {
	return translate(c.blobs.Delete(ctx, c.key(object)))
}

func (c *Contents) key(object uuid.UUID) s3x.Key { return s3x.TenantKey(c.tenant, object) }

// translate declares what a caller may be told. What a missing object means is
// said where it is asked for.
func translate(err error) error {
	if _, declared := errs.As(err); declared || err == nil {
		return err
	}
	switch {
	case errors.Is(err, s3x.ErrSize):
		return domain.ErrSize.Because(err)
	case errors.Is(err, s3x.ErrUnavailable):
		return errs.ErrUnavailable.Because(err)
	}
	return err
}
