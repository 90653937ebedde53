package migrate_test

import (
	"context"
	"fmt"
	"os"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/insulahq/insula/platform/pgserver"
)

// server is the PostgreSQL of this test run: the one that INSULA_TEST_DATABASE_URL names, else a throw-away one.
var server string

func TestMain(m *testing.M) { os.Exit(run(m)) }

func run(m *testing.M) int {
	if server = os.Getenv("INSULA_TEST_DATABASE_URL"); server != "" {
		return m.Run()
	}
	dir, err := os.MkdirTemp("", "insula-migrate-")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(dir)
	ctx := context.Background()
	s, err := pgserver.Start(ctx, pgserver.Options{Dir: dir, Profile: pgserver.Throwaway})
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer s.Stop(ctx)
	server = s.URL("postgres")
	return m.Run()
}

// database connects to a new database of the test's own.
func database(t *testing.T) *pgx.Conn {
	t.Helper()
	ctx := context.Background()
	admin, err := pgx.Connect(ctx, server)
	if err != nil {
		t.Fatal(err)
	}
	name := fmt.Sprintf("migrate_%d_%d", os.Getpid(), admin.PgConn().PID())
	if _, err := admin.Exec(ctx, "CREATE DATABASE "+name+" TEMPLATE template0"); err != nil {
		t.Fatal(err)
	}
	config := admin.Config().Copy()
	config.Database = name
	conn, err := pgx.ConnectConfig(ctx, config)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		conn.Close(ctx)
		if _, err := admin.Exec(ctx, "DROP DATABASE "+name+" WITH (FORCE)"); err != nil {
			t.Error(err)
		}
		admin.Close(ctx)
	})
	return conn
}
