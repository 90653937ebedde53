// Package infra keeps what tenants have set.
package infra

import (
	"context"
	"encoding/json"

	"github.com/insulahq/insula/modules/settings/domain"
	"github.com/insulahq/insula/modules/settings/infra/internal/settingsdb"
	"github.com/insulahq/insula/platform/pg"
	"github.com/insulahq/insula/platform/uow"
)

// Repository implements domain.Repository, and setting.Source for the memory
// of a process.
type Repository struct{ q *settingsdb.Queries }

// NewRepository makes the repository of a process.
func NewRepository() *Repository { return &Repository{q: settingsdb.New()} }

// Version implements domain.Repository and setting.Source.
func (r *Repository) Version(ctx context.Context, tx uow.Tx) (int64, error) {
	version, err := r.q.SettingsVersion(ctx, pg.DB(tx))
	return version, pg.Translate(err, nil, nil)
}

// Stored implements setting.Source.
func (r *Repository) Stored(ctx context.Context, tx uow.Tx) (map[string]json.RawMessage, error) {
	all, err := r.All(ctx, tx)
	stored := make(map[string]json.RawMessage, len(all))
	for _, s := range all {
		stored[s.Name] = s.Value
	}
	return stored, err
}

// Advance implements domain.Repository.
func (r *Repository) Advance(ctx context.Context, tx uow.Tx) (int64, error) {
	version, err := r.q.AdvanceSettings(ctx, pg.DB(tx))
	return version, pg.Translate(err, nil, nil)
}

// All implements domain.Repository.
func (r *Repository) All(ctx context.Context, tx uow.Tx) ([]domain.Stored, error) {
	rows, err := r.q.StoredSettings(ctx, pg.DB(tx))
	if err != nil {
		return nil, pg.Translate(err, nil, nil)
	}
	all := make([]domain.Stored, len(rows))
	for i, row := range rows {
		all[i] = domain.Stored{Name: row.Name, Value: row.Value, ChangedAt: row.ChangedAt}
	}
	return all, nil
}

// Put implements domain.Repository.
func (r *Repository) Put(ctx context.Context, tx uow.Tx, s domain.Stored) error {
	return pg.Translate(r.q.PutSetting(ctx, pg.DB(tx), s.Name, s.Value, s.ChangedAt), nil, nil)
}

// Remove implements domain.Repository.
func (r *Repository) Remove(ctx context.Context, tx uow.Tx, name string) error {
	return pg.Translate(r.q.RemoveSetting(ctx, pg.DB(tx), name), nil, nil)
}
