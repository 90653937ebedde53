package service

import (
	"context"
	"fmt"
	"iter"

	"github.com/insulahq/insula/modules/audit/domain"
)

// newestPublished is the newest head outside the database; none when nothing
// is kept there.
func (s *Evidence) newestPublished(ctx context.Context, key string) ([]domain.Checkpoint, error) {
	newest := int64(0)
	for size, err := range s.published.Sizes(ctx, s.tenant, 0) {
		if err != nil {
			return nil, err
		}
		newest = size
	}
	if newest == 0 {
		return nil, nil
	}
	c, err := s.openPublished(ctx, newest, key)
	return []domain.Checkpoint{c}, err
}

func (s *Evidence) openPublished(ctx context.Context, size int64, key string) (domain.Checkpoint, error) {
	line, _, err := s.published.Find(ctx, s.tenant, size)
	if err != nil {
		return domain.Checkpoint{}, err
	}
	c, err := line.Open("the object store", key)
	if err != nil || c.Size != size {
		return c, &domain.Finding{Kind: domain.Forged, Number: size - 1,
			Detail: fmt.Sprintf("the head of size %d in the object store is not signed by this tenant's key", size)}
	}
	return c, nil
}

// allPublished yields all heads outside the database. Call stop at the end.
func (s *Evidence) allPublished(ctx context.Context, key string) (all domain.Checkpoints, stop func()) {
	next, stop := iter.Pull2(s.published.Sizes(ctx, s.tenant, 0))
	return func() (domain.Checkpoint, bool, error) {
		size, err, ok := next()
		if !ok || err != nil {
			return domain.Checkpoint{}, false, err
		}
		c, err := s.openPublished(ctx, size, key)
		return c, err == nil, err
	}, stop
}
