package infra

import (
	"context"
	"time"

	"github.com/insulahq/insula/modules/roles/infra/internal/rolesdb"
	"github.com/insulahq/insula/platform/pg"
	"github.com/insulahq/insula/platform/uow"
)

// Settler implements tenants.Settler. A tenant that is put back to an archive
// would come to versions of its policy and settings again that every process
// remembers with other contents; so it goes on from a number that none has had.
type Settler struct{ q *rolesdb.Queries }

// NewSettler makes the settler of a process.
func NewSettler() *Settler { return &Settler{q: rolesdb.New()} }

// Settle implements tenants.Settler. Changes one by one do not come as far as
// the microseconds of the clock, so two restores never meet either.
func (s *Settler) Settle(ctx context.Context, tx uow.Tx, now time.Time) error {
	return pg.Translate(s.q.RaisePolicy(ctx, pg.DB(tx), now.UnixMicro()), nil, nil)
}
