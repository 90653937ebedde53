package migrate_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/jackc/pgx/v5"

	"github.com/insulahq/insula/platform/pg/migrate"
	"github.com/insulahq/insula/platform/pgtest"
)

// apply creates the schema if it must and migrates it, in one transaction.
func apply(t *testing.T, conn *pgx.Conn, d *migrate.Dir, schema string) ([]string, error) {
	t.Helper()
	ctx := context.Background()
	var applied []string
	err := pgx.BeginFunc(ctx, conn, func(tx pgx.Tx) error {
		if _, err := tx.Exec(ctx, "CREATE SCHEMA IF NOT EXISTS "+pgx.Identifier{schema}.Sanitize()); err != nil {
			return err
		}
		var err error
		applied, err = d.Apply(ctx, tx, schema)
		return err
	})
	return applied, err
}

// value runs a query that gives one value.
func value[T any](t *testing.T, conn *pgx.Conn, sql string, args ...any) T {
	t.Helper()
	var v T
	if err := conn.QueryRow(context.Background(), sql, args...).Scan(&v); err != nil {
		t.Fatalf("%s: %v", sql, err)
	}
	return v
}

func exec(t *testing.T, conn *pgx.Conn, sql string) {
	t.Helper()
	if _, err := conn.Exec(context.Background(), sql); err != nil {
		t.Fatalf("%s: %v", sql, err)
	}
}

func TestApply(t *testing.T) {
	ctx := context.Background()
	conn := pgtest.Empty(t)
	all := files(t)
	older := fstest.MapFS{first: all[first]}
	const schema = `t "odd" name`

	applied, err := apply(t, conn, load(t, sum(t, older)), schema)
	if err != nil || !slices.Equal(applied, []string{"20260101000000"}) {
		t.Fatalf("first pass applied %q, %v", applied, err)
	}
	d := load(t, all)
	status, err := d.Status(ctx, conn, schema)
	if err != nil || status.Current != "20260101000000" || len(status.Pending) != 2 {
		t.Errorf("status in between is %+v, %v", status, err)
	}
	applied, err = apply(t, conn, d, schema)
	if err != nil || !slices.Equal(applied, []string{"20260102000000", "20260103000000"}) {
		t.Fatalf("second pass applied %q, %v", applied, err)
	}
	applied, err = apply(t, conn, d, schema)
	if err != nil || len(applied) != 0 {
		t.Fatalf("third pass applied %q, %v", applied, err)
	}
	status, err = d.Status(ctx, conn, schema)
	if err != nil || status.Current != d.Version() || len(status.Pending) != 0 {
		t.Errorf("status at the end is %+v, %v", status, err)
	}
	if n := value[int](t, conn, `SELECT count(*) FROM "t ""odd"" name".rooms`); n != 1 {
		t.Errorf("rooms has %d rows", n)
	}
	if n := value[int](t, conn, `SELECT "t ""odd"" name"."odd; name"()`); n != 1 {
		t.Errorf("the function answers %d", n)
	}
	if path := value[string](t, conn, "SHOW search_path"); !strings.Contains(path, "public") {
		t.Errorf("search_path stayed %q after the transaction", path)
	}
}

func TestApplyRecordsWhatAtlasReads(t *testing.T) {
	conn := pgtest.Empty(t)
	if _, err := apply(t, conn, load(t, files(t)), "house"); err != nil {
		t.Fatal(err)
	}
	if n := value[int](t, conn, `SELECT count(*) FROM information_schema.columns
		WHERE table_schema = 'house' AND table_name = 'atlas_schema_revisions'`); n != 12 {
		t.Errorf("the history has %d columns", n)
	}
	right := `SELECT type = 2 AND applied = 2 AND total = 2 AND description = 'keys' AND hash <> '' AND error IS NULL
		AND executed_at BETWEEN now() - interval '1 minute' AND now() AND execution_time > 0
		FROM house.atlas_schema_revisions WHERE version = '20260102000000'`
	if !value[bool](t, conn, right) {
		t.Error("the revision is not recorded as Atlas does")
	}
	// The official command line keeps notes of its own among the revisions.
	exec(t, conn, `INSERT INTO house.atlas_schema_revisions (version, description, executed_at, execution_time, hash, operator_version)
		VALUES ('.atlas_cloud_identifier', '', now(), 0, '', '')`)
	if applied, err := apply(t, conn, load(t, files(t)), "house"); err != nil || len(applied) != 0 {
		t.Errorf("applied %q, %v", applied, err)
	}
}

func TestFailedMigrationLeavesNothing(t *testing.T) {
	conn := pgtest.Empty(t)
	f := files(t)
	f[second].Data = []byte("CREATE TABLE keys (room integer);\n\nALTER TABLE absent ADD COLUMN x integer;\n")
	_, err := apply(t, conn, load(t, sum(t, f)), "house")
	if err == nil || !strings.Contains(err.Error(), second+", line 3") || !strings.Contains(err.Error(), "house") {
		t.Errorf("the error does not say where: %v", err)
	}
	if n := value[int](t, conn, "SELECT count(*) FROM pg_namespace WHERE nspname = 'house'"); n != 0 {
		t.Error("the schema is still there")
	}
}

func TestApplyRefusesAnotherHistory(t *testing.T) {
	ctx := context.Background()
	cases := []struct {
		name   string
		want   error
		change func(fstest.MapFS)
		sql    string
	}{
		{"edited", migrate.ErrEdited, func(f fstest.MapFS) { f[second].Data = []byte("SELECT 1;") }, ""},
		{"newer", migrate.ErrNewer, func(f fstest.MapFS) { delete(f, third) }, ""},
		{"newer than none", migrate.ErrNewer, func(f fstest.MapFS) { clear(f) }, ""},
		{"replaced", migrate.ErrDiverged, func(f fstest.MapFS) {
			f["20260102110000_x.sql"] = f[second]
			delete(f, second)
		}, ""},
		{"inserted", migrate.ErrDiverged, func(f fstest.MapFS) { f["20260101110000_x.sql"] = f[second] }, ""},
		{"partial", migrate.ErrPartial, func(fstest.MapFS) {},
			"UPDATE house.atlas_schema_revisions SET applied = 0 WHERE version = '20260103000000'"},
	}
	conn := pgtest.Empty(t)
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			if _, err := apply(t, conn, load(t, files(t)), "house"); err != nil {
				t.Fatal(err)
			}
			defer exec(t, conn, "DROP SCHEMA house CASCADE")
			if c.sql != "" {
				exec(t, conn, c.sql)
			}
			f := files(t)
			c.change(f)
			f["20260109000000_last.sql"] = &fstest.MapFile{Data: []byte("CREATE TABLE house.last ();")}
			if errors.Is(c.want, migrate.ErrNewer) {
				delete(f, "20260109000000_last.sql")
			}
			d := load(t, sum(t, f))
			if _, err := apply(t, conn, d, "house"); !errors.Is(err, c.want) {
				t.Errorf("apply: want %q, got %v", c.want, err)
			}
			if _, err := d.Status(ctx, conn, "house"); !errors.Is(err, c.want) {
				t.Errorf("status: want %q, got %v", c.want, err)
			}
			if value[bool](t, conn, "SELECT to_regclass('house.last') IS NOT NULL") {
				t.Error("something was changed")
			}
		})
	}
}

// Two replicas that start together must migrate a tenant once.
func TestApplyWaitsForItsTwin(t *testing.T) {
	ctx := context.Background()
	one := pgtest.Empty(t)
	two, err := pgx.ConnectConfig(ctx, one.Config())
	if err != nil {
		t.Fatal(err)
	}
	defer two.Close(ctx)
	d := load(t, files(t))
	exec(t, one, "CREATE SCHEMA house")

	tx, err := one.Begin(ctx)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := d.Apply(ctx, tx, "house"); err != nil {
		t.Fatal(err)
	}
	type outcome struct {
		applied []string
		err     error
	}
	done := make(chan outcome)
	go func() {
		var o outcome
		o.err = pgx.BeginFunc(ctx, two, func(tx pgx.Tx) (err error) {
			o.applied, err = d.Apply(ctx, tx, "house")
			return err
		})
		done <- o
	}()
	waiting := "SELECT EXISTS (SELECT FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid() AND query LIKE 'SELECT pg_try_advisory_xact_lock%' AND state = 'idle in transaction')"
	for !value[bool](t, tx.Conn(), waiting) {
		select {
		case o := <-done:
			t.Fatalf("the second did not wait: %+v", o)
		default:
		}
	}
	if err := tx.Commit(ctx); err != nil {
		t.Fatal(err)
	}
	if o := <-done; o.err != nil || len(o.applied) != 0 {
		t.Errorf("the second applied %q, %v", o.applied, o.err)
	}
}

func TestApplyControl(t *testing.T) {
	ctx := context.Background()
	conn := pgtest.Empty(t)
	f := fstest.MapFS{first: {Data: []byte("CREATE SCHEMA control;\nCREATE TABLE control.tenants (id integer);\n")}}
	d := load(t, sum(t, f))
	applied, err := d.ApplyControl(ctx, conn)
	if err != nil || !slices.Equal(applied, []string{"20260101000000"}) {
		t.Fatalf("applied %q, %v", applied, err)
	}
	if applied, err = d.ApplyControl(ctx, conn); err != nil || len(applied) != 0 {
		t.Fatalf("again applied %q, %v", applied, err)
	}
	status, err := d.Status(ctx, conn, migrate.ControlHistory)
	if err != nil || status.Current != d.Version() {
		t.Errorf("status is %+v, %v", status, err)
	}

	f[second] = &fstest.MapFile{Data: []byte("CREATE TABLE stray (id integer);")}
	if _, err = load(t, sum(t, f)).ApplyControl(ctx, conn); err == nil {
		t.Error("a name without a schema was taken")
	}
	if value[bool](t, conn, "SELECT EXISTS (SELECT FROM pg_class WHERE relname = 'stray')") {
		t.Error("a failed migration left a table")
	}
}

func TestStatusOfAnUntouchedSchema(t *testing.T) {
	conn := pgtest.Empty(t)
	d := load(t, files(t))
	status, err := d.Status(context.Background(), conn, "absent")
	if err != nil || status.Current != "" || !slices.Equal(status.Pending, d.Versions()) {
		t.Errorf("status is %+v, %v", status, err)
	}
}
