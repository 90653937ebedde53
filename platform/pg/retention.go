package pg

import (
	"context"
	"errors"

	"github.com/insulahq/insula/platform/pg/internal/pgdb"
	"github.com/insulahq/insula/platform/uow"
)

// AsRetention runs fn with the rights of the retention role, which are to read
// and to remove rows of tables that are otherwise only added to, and nothing
// else. The schema stays that of the tenant. It works in a writing unit of work
// of a tenant.
func AsRetention(ctx context.Context, tx uow.Tx, fn func() error) error {
	w, ok := tx.(*writeTx)
	if !ok || w.unit.tenant == nil {
		return errors.New("rows are removed only in a writing unit of work of a tenant")
	}
	if w.unit.roles == OneRole {
		return fn() // it may remove these rows itself
	}
	q := pgdb.New()
	if err := q.TakeRole(ctx, w, RetentionRole); err != nil {
		return err
	}
	if err := fn(); err != nil {
		return err // the transaction ends with it
	}
	return q.TakeTenantRole(ctx, w)
}
