// Package pgtest gives tests a real PostgreSQL and a tenant each.
//
// A package that uses it has in one of its test files
//
//	func TestMain(m *testing.M) { pgtest.Main(m) }
//
// Under `make test` all packages share one throw-away server; a plain
// `go test` of one package starts its own. Each package gets a database of
// its own, copied from a template that has the control schema, and each test
// a freshly provisioned tenant schema, so tests run in parallel and exercise
// provisioning by the way.
package pgtest

import (
	"context"
	"errors"
	"fmt"
	"os"
	"testing"

	"github.com/insulahq/insula/platform/pgserver"
)

// serverEnv names the URL of a superuser on a server that tests may fill.
const serverEnv = "INSULA_TEST_DATABASE_URL"

var serverURL string

// Main runs the tests of a package with a PostgreSQL beside them, and exits.
// Without PostgreSQL on the machine it fails and says how to install it.
func Main(m *testing.M) {
	code, err := run(m)
	if err != nil {
		fmt.Fprintln(os.Stderr, "pgtest:", err)
		code = 1
	}
	os.Exit(code)
}

func run(m *testing.M) (code int, err error) {
	ctx := context.Background()
	if serverURL = os.Getenv(serverEnv); serverURL == "" {
		dir, err := os.MkdirTemp("", "insula-pgtest-")
		if err != nil {
			return 1, err
		}
		defer os.RemoveAll(dir)
		server, err := pgserver.Start(ctx, pgserver.Options{Dir: dir, Profile: pgserver.Throwaway})
		if err != nil {
			return 1, err
		}
		defer func() { err = errors.Join(err, server.Stop(ctx)) }()
		serverURL = server.URL("postgres")
	}
	defer closeDatabase(ctx)
	defer func() { err = errors.Join(err, closeElsewhere(ctx)) }()
	return m.Run(), nil
}
