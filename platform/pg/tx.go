package pg

import (
	"context"
	"errors"

	"github.com/insulahq/insula/platform/pg/internal/pgdb"
	"github.com/insulahq/insula/platform/uow"
)

// DBTX is what generated queries run on.
type DBTX = pgdb.DBTX

// DB gives the generated queries of a repository their database, walled into
// the tenant of tx. It panics on a Tx that package pg did not make.
func DB(tx uow.Tx) DBTX {
	d, ok := tx.(DBTX)
	if !ok {
		panic("pg: a Tx that the wall did not make")
	}
	return d
}

var errFinished = errors.New("the unit of work is over")

// common is what both kinds of transaction share.
type common struct {
	trail uow.Trail
	after []func(context.Context)
}

func (c *common) Trail() *uow.Trail { return &c.trail }

func (c *common) AfterCommit(fn func(context.Context)) { c.after = append(c.after, fn) }

func (c *common) committed(ctx context.Context) {
	ctx = context.WithoutCancel(ctx)
	for _, fn := range c.after {
		fn(ctx)
	}
}

// failedRow is a row that could not be asked for.
type failedRow struct{ err error }

func (r failedRow) Scan(...any) error { return r.err }
