package pgtest

import (
	"context"
	"errors"
	"os"
	"sync"
	"testing"

	"github.com/insulahq/insula/platform/pgserver"
	"github.com/insulahq/insula/platform/secret"
)

// elsewhere is the package's second server.
var elsewhere struct {
	once   sync.Once
	dir    string
	server *pgserver.Server
	db     DB
	err    error
}

// Elsewhere returns a database on another server than that of Database, for
// what goes from one to the other. It is made on first use, is shared by the
// tests of the package and has an empty control schema.
func Elsewhere(t testing.TB) DB {
	t.Helper()
	elsewhere.once.Do(func() { elsewhere.err = openElsewhere(context.Background()) })
	if elsewhere.err != nil {
		t.Fatalf("pgtest: the second server: %v", elsewhere.err)
	}
	return elsewhere.db
}

func openElsewhere(ctx context.Context) (err error) {
	if elsewhere.dir, err = os.MkdirTemp("", "insula-elsewhere-"); err != nil {
		return err
	}
	if elsewhere.server, err = pgserver.Start(ctx, pgserver.Options{Dir: elsewhere.dir, Profile: pgserver.Throwaway}); err != nil {
		return err
	}
	elsewhere.db, err = furnish(ctx, elsewhere.server, secret.New("only here"))
	return err
}

func closeElsewhere(ctx context.Context) error {
	if elsewhere.db.Pool != nil {
		elsewhere.db.close()
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
