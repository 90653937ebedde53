package service

import (
	"context"

	"github.com/google/uuid"

	"github.com/insulahq/insula/modules/settings"
	"github.com/insulahq/insula/platform/op"
	"github.com/insulahq/insula/platform/setting"
	"github.com/insulahq/insula/platform/uow"
)

// GetOf and UpdateOf are what the operator does with the settings of a tenant.
var (
	GetOf    = op.Read("tenants.settings.get", "See the settings of a tenant.", op.Landlord, op.About("settings"))
	UpdateOf = op.Write("tenants.settings.update", "Change settings of a tenant, those of the operator included.", op.Landlord, op.About("settings"))
)

// GetOf shows all settings of a tenant.
func (s *Settings) GetOf(ctx context.Context, id uuid.UUID) (settings.Document, error) {
	return op.Do(ctx, s.run, GetOf.On(id.String()), func(uow.Tx) (d settings.Document, err error) {
		t, err := s.tenants.ByID(ctx, id)
		if err != nil {
			return d, err
		}
		err = s.jobs.Look(ctx, t, func(tx uow.Tx) error {
			d, err = s.desk.Show(ctx, tx)
			return err
		})
		return d, err
	})
}

// UpdateOf changes settings of a tenant, in the tenant's schema and with a
// record in its trail. The record in the operator's own trail follows.
func (s *Settings) UpdateOf(ctx context.Context, id uuid.UUID, version int64, c settings.Change) (settings.Document, error) {
	var changed *settings.Changed // the tenant's part is done once, however often the operator's is tried
	return op.Do(ctx, s.run, UpdateOf.On(id.String()), func(tx uow.Tx) (settings.Document, error) {
		t, err := s.tenants.ByID(ctx, id)
		if err != nil {
			return settings.Document{}, err
		}
		tx.Trail().On(UpdateOf.Kind, id.String(), t.Slug)
		if changed == nil {
			var in settings.Changed
			err := s.jobs.Visit(ctx, t, UpdateOf, s.run.Caller(), func(tx uow.Tx) (err error) {
				in, err = s.change(ctx, tx, t, version, c, setting.Operator)
				return err
			})
			if err != nil {
				return settings.Document{}, err
			}
			changed = &in
		}
		tx.Trail().Changed(changed.Before, changed.After)
		return changed.Document, nil
	})
}
