package wiregen

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"github.com/google/uuid"

	usersdomain "github.com/insulahq/insula/modules/users/domain"
	"github.com/insulahq/insula/platform/clock"
	"github.com/insulahq/insula/platform/config"
	"github.com/insulahq/insula/platform/gate"
	"github.com/insulahq/insula/platform/pg"
	"github.com/insulahq/insula/platform/pg/warm"
	"github.com/insulahq/insula/platform/telemetry"
	"github.com/insulahq/insula/platform/tenancy"
	"github.com/insulahq/insula/platform/uow"
)

// warmShare is the part of the connections that may read in tenants at once.
const warmShare = 4

// newWarmer reads in busy tenants what requests read: what lets a caller in, and
// a user.
func newWarmer(c config.Config, pool *pg.Pool, tenants tenancy.Directory, g *gate.Gate, people usersdomain.Repository, m *telemetry.Metrics, now clock.Clock, log *slog.Logger) *warm.Warmer {
	o := warm.Options{
		Tenants: c.Database.Warm, AtOnce: c.Database.MaxConns / warmShare,
		Ranking: pool, Directory: tenants, Units: pool.Ahead(), Clock: now, Log: log,
		Reads: []warm.Read{g.Warm, func(ctx context.Context, tx uow.Tx, _ tenancy.Tenant) error {
			if _, err := people.Find(ctx, tx, uuid.Nil); !errors.Is(err, usersdomain.ErrNotFound) {
				return err
			}
			return nil
		}},
		Observe: func(took time.Duration, failed bool) { m.ObserveJob("tenants.warm", took, failed) },
	}
	if c.Database.Pooled {
		o.Tenants = 0
	}
	return warm.New(o)
}
