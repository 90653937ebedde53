package infra

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"

	"github.com/google/uuid"

	"github.com/insulahq/insula/modules/audit/domain"
	"github.com/insulahq/insula/platform/s3x"
)

// Published implements domain.Published on the object store.
type Published struct{ blobs s3x.Blobs }

// NewPublished keeps evidence in blobs.
func NewPublished(blobs s3x.Blobs) *Published { return &Published{blobs: blobs} }

const (
	headType    = "application/json"
	recordsType = "application/x-ndjson"
	// maxHead bounds what is read of an object that should be a head: somebody
	// else may have put it there.
	maxHead = 64 << 20
)

// Publish implements domain.Published. The object is one line of JSON, as
// domain.ParseHeads reads them.
func (p *Published) Publish(ctx context.Context, tenant uuid.UUID, s domain.Seal) error {
	leaves, err := s.Leaves()
	if err != nil {
		return fmt.Errorf("publish the head of size %d: %w", s.Size, err)
	}
	line, err := json.Marshal(domain.HeadLine{Head: s.Head, Leaves: domain.Pack(leaves)})
	if err != nil {
		return fmt.Errorf("publish the head of size %d: %w", s.Size, err)
	}
	return p.put(ctx, s3x.EvidenceKey(tenant, s3x.Heads, s.Size), append(line, '\n'), headType)
}

// PublishRecords implements domain.Published.
func (p *Published) PublishRecords(ctx context.Context, tenant uuid.UUID, size int64, lines []byte) error {
	return p.put(ctx, s3x.EvidenceKey(tenant, s3x.Records, size), lines, recordsType)
}

func (p *Published) put(ctx context.Context, key s3x.Key, content []byte, contentType string) error {
	_, err := p.blobs.Put(ctx, key, bytes.NewReader(content), int64(len(content)), contentType)
	return err
}

// Sizes implements domain.Published.
func (p *Published) Sizes(ctx context.Context, tenant uuid.UUID, after int64) iter.Seq2[int64, error] {
	return p.blobs.ListEvidence(ctx, tenant, s3x.Heads, after)
}

// Find implements domain.Published.
func (p *Published) Find(ctx context.Context, tenant uuid.UUID, size int64) (line domain.HeadLine, kept bool, err error) {
	content, err := p.blobs.Get(ctx, s3x.EvidenceKey(tenant, s3x.Heads, size), s3x.Range{})
	if errors.Is(err, s3x.ErrNotFound) {
		return line, false, nil
	}
	if err != nil {
		return line, false, err
	}
	defer content.Close()
	if err := json.NewDecoder(io.LimitReader(content, maxHead)).Decode(&line); err != nil {
		return line, true, fmt.Errorf("head of size %d: %w", size, err)
	}
	return line, true, nil
}
