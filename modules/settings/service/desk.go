// Package service holds the operations of the settings module.
package service

import (
	"context"
	"slices"

	"github.com/insulahq/insula/modules/settings"
	"github.com/insulahq/insula/modules/settings/domain"
	"github.com/insulahq/insula/platform/clock"
	"github.com/insulahq/insula/platform/errs"
	"github.com/insulahq/insula/platform/setting"
	"github.com/insulahq/insula/platform/uow"
)

// Desk implements settings.Desk.
type Desk struct {
	repo     domain.Repository
	registry *setting.Registry
	clock    clock.Clock
}

// NewDesk makes the desk of a process.
func NewDesk(repo domain.Repository, r *setting.Registry, c clock.Clock) *Desk {
	return &Desk{repo: repo, registry: r, clock: c}
}

// Show implements settings.Desk.
func (d *Desk) Show(ctx context.Context, tx uow.Tx) (settings.Document, error) {
	version, err := d.repo.Version(ctx, tx) // first, so that nothing shown is older than it says
	if err != nil {
		return settings.Document{}, err
	}
	return d.describe(ctx, tx, version)
}

func (d *Desk) describe(ctx context.Context, tx uow.Tx, version int64) (settings.Document, error) {
	stored, err := d.repo.All(ctx, tx)
	if err != nil {
		return settings.Document{}, err
	}
	return domain.Describe(d.registry, version, stored), nil
}

// Change implements settings.Desk.
func (d *Desk) Change(ctx context.Context, tx uow.Tx, version int64, c settings.Change, who setting.Who) (settings.Changed, error) {
	next, err := d.repo.Advance(ctx, tx)
	if err != nil {
		return settings.Changed{}, err
	}
	if version != settings.AnyVersion && version != next-1 {
		return settings.Changed{}, errs.ErrPreconditionFailed
	}
	stored, err := d.repo.All(ctx, tx)
	if err != nil {
		return settings.Changed{}, err
	}
	plan, err := domain.Examine(d.registry, stored, c, who)
	if err != nil {
		return settings.Changed{}, err
	}
	if err := d.carryOut(ctx, tx, plan); err != nil {
		return settings.Changed{}, err
	}
	after, err := d.describe(ctx, tx, next)
	changed := settings.Changed{Document: after}
	changed.Before, changed.After = plan.Views(domain.Describe(d.registry, next-1, stored), after)
	return changed, err
}

func (d *Desk) carryOut(ctx context.Context, tx uow.Tx, p domain.Plan) error {
	now := d.clock.Now()
	for name, value := range p.Put {
		if err := d.repo.Put(ctx, tx, domain.Stored{Name: name, Value: value, ChangedAt: now}); err != nil {
			return err
		}
	}
	for name := range slices.Values(p.Remove) {
		if err := d.repo.Remove(ctx, tx, name); err != nil {
			return err
		}
	}
	return nil
}
