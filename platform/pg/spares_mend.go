package pg

import (
	"context"
	"errors"
	"fmt"

	"github.com/insulahq/insula/platform/pg/internal/pgdb"
	"github.com/insulahq/insula/platform/uow"
)

// mend brings a stale spare to the version of this migrator, or drops it. It
// may be repeated after a kill at any step.
func (m *Migrator) mend(ctx context.Context, s Spare) error {
	if !m.upgradable(s) {
		return m.discard(ctx, s)
	}
	if s.State == SpareReady {
		if there, err := m.setState(ctx, s, SpareChanging); err != nil || !there {
			return err // a tenant has got it
		}
		s.State = SpareChanging
	}
	_, err := m.UpgradeTenant(ctx, s.Schema, func(tx uow.Tx) error {
		return pgdb.New().SpareUpgraded(ctx, DB(tx), m.TenantVersion(), m.tenant.Hash(), s.Schema)
	})
	if err == nil || ctx.Err() != nil {
		return err
	}
	return errors.Join(fmt.Errorf("a spare schema is thrown away: %w", err), m.discard(ctx, s))
}

// discard drops a spare, and forgets it when nothing of it is left.
func (m *Migrator) discard(ctx context.Context, s Spare) error {
	if s.State != SpareLeaving {
		if there, err := m.setState(ctx, s, SpareLeaving); err != nil || !there {
			return err
		}
	}
	if err := m.Drop(ctx, s.Schema, nil); err != nil {
		return err
	}
	return pgdb.New().ForgetSpare(ctx, m.pool, s.Schema)
}

// reject takes a spare out of the stock with which no tenant could be made.
func (m *Migrator) reject(ctx context.Context, schema string) error {
	_, err := m.setState(ctx, Spare{Schema: schema, State: SpareReady}, SpareLeaving)
	return err
}

// setState reports false when a spare is no longer in the state that it was
// found in.
func (m *Migrator) setState(ctx context.Context, s Spare, to SpareState) (bool, error) {
	n, err := pgdb.New().SetSpareState(ctx, m.pool, string(to), s.Schema, string(s.State))
	return n > 0, err
}
