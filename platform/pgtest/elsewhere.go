package pgtest

import (
	"context"
	"errors"
	"os"
	"sync"
	"testing"

	"github.com/insulahq/insula/platform/pg"
	"github.com/insulahq/insula/platform/pgserver"
	"github.com/insulahq/insula/platform/secret"
)

// elsewhere is the package's second server.
var elsewhere struct {
	once   sync.Once
	dir    string
	server *pgserver.Server
	placed Placement
	err    error
}

// Elsewhere returns a placement on another server than that of Database, for
// what goes from one to the other. It is made on first use and shared by the
// tests of the package.
func Elsewhere(t testing.TB) Placement {
	t.Helper()
	first := Database(t)
	elsewhere.once.Do(func() { elsewhere.err = openElsewhere(context.Background(), first) })
	if elsewhere.err != nil {
		t.Fatalf("pgtest: the second server: %v", elsewhere.err)
	}
	return elsewhere.placed
}

func openElsewhere(ctx context.Context, first DB) (err error) {
	if elsewhere.dir, err = os.MkdirTemp("", "insula-elsewhere-"); err != nil {
		return err
	}
	if elsewhere.server, err = pgserver.Start(ctx, pgserver.Options{Dir: elsewhere.dir, Profile: pgserver.Throwaway}); err != nil {
		return err
	}
	p := &elsewhere.placed
	p.Name = "elsewhere"
	if p.DB, err = furnish(ctx, elsewhere.server, secret.New("only here")); err != nil {
		return err
	}
	p.Pool.Close()
	p.Migrator = p.Migrator.WithPlacement(p.Name)
	p.Pool, err = p.open(ctx, first)
	return err
}

// open makes a pool to the package's database and the placement.
func (p Placement) open(ctx context.Context, first DB) (*pg.Pool, error) {
	return pg.Open(ctx, pg.Options{URL: first.AppURL, MaxConns: testConns, Placements: map[string]secret.Value{p.Name: p.AppURL}})
}

func closeElsewhere(ctx context.Context) error {
	if elsewhere.placed.Pool != nil {
		elsewhere.placed.close()
	}
	var err error
	if elsewhere.server != nil {
		err = elsewhere.server.Stop(ctx)
	}
	if elsewhere.dir != "" {
		err = errors.Join(err, os.RemoveAll(elsewhere.dir))
	}
	return err
}
