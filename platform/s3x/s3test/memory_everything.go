package s3test

import (
	"context"
	"maps"

	"github.com/google/uuid"

	"github.com/insulahq/insula/platform/s3x"
)

// Stock implements s3x.Blobs.
func (m *Memory) Stock(ctx context.Context, tenantID uuid.UUID) (s3x.Stock, error) {
	if err := m.enter(ctx); err != nil {
		return s3x.Stock{}, err
	}
	defer m.mu.Unlock()
	var sum s3x.Stock
	for key, o := range m.objects {
		if key.Tenant() == tenantID {
			sum.Objects++
			sum.Bytes += o.object.Size
		}
	}
	return sum, nil
}

// Purge implements s3x.Blobs.
func (m *Memory) Purge(ctx context.Context, tenantID uuid.UUID) error {
	if err := m.enter(ctx); err != nil {
		return err
	}
	defer m.mu.Unlock()
	maps.DeleteFunc(m.objects, func(key s3x.Key, _ stored) bool { return key.Tenant() == tenantID })
	maps.DeleteFunc(m.open, func(_ string, u *unfinished) bool { return u.Key.Tenant() == tenantID })
	return nil
}
