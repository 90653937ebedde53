package pg_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/fstest"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/insulahq/insula/platform/pg"
	"github.com/insulahq/insula/platform/pgtest"
	"github.com/insulahq/insula/platform/uow"
)

// zooTables are tables that have all that makes moving rows difficult: keys of
// several columns, keys to themselves, keys that take rows along, values that
// must be unique, values of all kinds, and columns that name a transaction and
// a server.
const zooTables = `
CREATE TABLE animals (
    id     integer NOT NULL,
    name   text    NOT NULL,
    mother integer,
    data   bytea,
    plain  json,
    binary_doc jsonb,
    tags   text[],
    weight double precision,
    price  numeric,
    born   timestamptz,
    span   interval,
    tame   boolean,
    shout  text GENERATED ALWAYS AS (upper(name)) STORED,
    CONSTRAINT animals_pkey PRIMARY KEY (id),
    CONSTRAINT animals_mother_fkey FOREIGN KEY (mother) REFERENCES animals (id) ON DELETE CASCADE
);
CREATE UNIQUE INDEX animals_name_key ON animals (name);
CREATE TABLE meals (
    number integer NOT NULL,
    animal integer NOT NULL,
    food   text    NOT NULL,
    xid    bigint  NOT NULL,
    server text    NOT NULL,
    CONSTRAINT meals_pkey PRIMARY KEY (animal, number),
    CONSTRAINT meals_animal_fkey FOREIGN KEY (animal) REFERENCES animals (id) ON DELETE CASCADE
);
COMMENT ON TABLE meals IS 'passing';
COMMENT ON COLUMN meals.xid IS 'transaction: the one that served it';
COMMENT ON COLUMN meals.server IS 'server: where';
CREATE TABLE "Odd ""names""" ("a b" uuid NOT NULL, "select" text, CONSTRAINT odd_pkey PRIMARY KEY ("a b"));
CREATE TABLE empty (id integer NOT NULL, CONSTRAINT empty_pkey PRIMARY KEY (id));
`

// zooTable is a table with what its rows are at the target.
type zooTable struct{ name, columns string }

var zoo = []zooTable{
	{"animals", "*"},
	{"meals", "number, animal, food, 1 AS xid, '' AS server"},
	{`Odd "names"`, "*"},
	{"empty", "*"},
}

// removal is a move of one schema in a test.
type removal struct {
	from, to pgtest.DB
	mover    *pg.Mover
	schema   string

	mu   sync.Mutex
	kept pg.Moving
	// at is called at each progress, with the name of the stage.
	at func(p pg.MoveProgress)
	// fail is asked before each hook by its name.
	fail func(hook string) error
}

// newRemoval opens movers for a schema between two databases.
func newRemoval(t *testing.T, from, to pgtest.DB, schema string, tenant fstest.MapFS, o pg.MoveOptions) *removal {
	t.Helper()
	r := &removal{from: from, to: to, schema: schema, kept: pg.Moving{Schema: schema}}
	r.mover = pg.NewMover(carrierOf(t, from, tenant), carrierOf(t, to, tenant), o)
	return r
}

// carrierOf makes a carrier, of other migrations than the product's unless they are nil.
func carrierOf(t *testing.T, db pgtest.DB, tenant fstest.MapFS) *pg.Carrier {
	t.Helper()
	m := db.Migrator
	if tenant != nil {
		var err error
		if m, err = pg.OpenMigrator(t.Context(), db.MigratorURL, fstest.MapFS{}, tenant); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(m.Close)
	}
	c, err := m.Carrier(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return c
}

func (r *removal) hooks() pg.MoveHooks {
	ask := func(hook string) error {
		if r.fail != nil {
			return r.fail(hook)
		}
		return nil
	}
	return pg.MoveHooks{
		Keep: func(_ context.Context, m pg.Moving) error {
			if err := ask("keep " + string(m.Step)); err != nil {
				return err
			}
			r.mu.Lock()
			defer r.mu.Unlock()
			r.kept = m
			return nil
		},
		Arrive: func(context.Context, uow.Tx) error { return ask("arrive") },
		Leave:  func(context.Context, uow.Tx) error { return ask("leave") },
		Open:   func(context.Context) error { return ask("open") },
		Progress: func(p pg.MoveProgress) {
			if r.at != nil {
				r.at(p)
			}
		},
	}
}

func (r *removal) move(ctx context.Context) (pg.Moved, error) {
	r.mu.Lock()
	from := r.kept
	r.mu.Unlock()
	return r.mover.Move(ctx, from, r.hooks())
}

// newZoo provisions a zoo with some animals and prepares to move it.
func newZoo(t *testing.T, from, to pgtest.DB, o pg.MoveOptions) *removal {
	t.Helper()
	tenant, err := pgtest.Migrations(map[int64]string{20260101000000: zooTables})
	if err != nil {
		t.Fatal(err)
	}
	id := uuid.New()
	r := newRemoval(t, from, to, fmt.Sprintf("t_%x", id[:]), tenant, o)
	m, err := pg.OpenMigrator(t.Context(), from.MigratorURL, fstest.MapFS{}, tenant)
	if err != nil {
		t.Fatal(err)
	}
	defer m.Close()
	err = m.Provision(t.Context(), pg.Provisioning{
		Schema: r.schema,
		Claim:  func(context.Context, uow.Tx) (bool, error) { return true, nil },
	}, func(uow.Tx) error { return nil })
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// connect is a superuser's connection with the zoo as its schema.
func (r *removal) connect(t testing.TB, db pgtest.DB) *pgx.Conn {
	t.Helper()
	cfg, err := pgx.ParseConfig(db.SuperuserURL)
	if err != nil {
		t.Fatal(err)
	}
	cfg.RuntimeParams["search_path"] = r.schema
	conn, err := pgx.ConnectConfig(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close(context.Background()) })
	return conn
}

// same compares the target with what the source has put away, row by row.
func (r *removal) same(t *testing.T) {
	t.Helper()
	was, is := r.connect(t, r.from), r.connect(t, r.to)
	for _, table := range zoo {
		want := zooRows(t, was, "moved_"+r.schema, table.name, table.columns)
		got := zooRows(t, is, r.schema, table.name, "*")
		if want != got {
			t.Errorf("%s differs:\n%s", table.name, difference(want, got))
		}
	}
}

func zooRows(t *testing.T, conn *pgx.Conn, schema, table, columns string) string {
	t.Helper()
	var text string
	sql := fmt.Sprintf("SELECT coalesce(string_agg(r::text, E'\\n' ORDER BY r::text), '') FROM (SELECT %s FROM %s) AS r", columns, pgx.Identifier{schema, table}.Sanitize())
	if err := conn.QueryRow(t.Context(), sql).Scan(&text); err != nil {
		t.Fatal(err)
	}
	return text
}

func difference(want, got string) string {
	w, g := strings.Split(want, "\n"), strings.Split(got, "\n")
	var out []string
	for _, line := range w {
		if !slices.Contains(g, line) {
			out = append(out, "missing "+line)
		}
	}
	for _, line := range g {
		if !slices.Contains(w, line) {
			out = append(out, "too much "+line)
		}
	}
	return strings.Join(out, "\n")
}

// keeper changes a zoo at random.
type keeper struct {
	t    *testing.T
	conn *pgx.Conn
	*rand.Rand
	next int // the next animal
}

func newKeeper(t *testing.T, r *removal, seed uint64) *keeper {
	k := &keeper{t: t, conn: r.connect(t, r.from), Rand: rand.New(rand.NewPCG(seed, 1)), next: 1}
	for range 60 {
		k.work()
	}
	return k
}

// work is one transaction, of one change or of several with some taken back.
func (k *keeper) work() {
	k.t.Helper()
	ctx := k.t.Context()
	err := pgx.BeginFunc(ctx, k.conn, func(tx pgx.Tx) error {
		for range 1 + k.IntN(4) {
			if k.IntN(3) > 0 {
				if err := k.change(ctx, tx); err != nil {
					return err
				}
				continue
			}
			point, err := tx.Begin(ctx)
			if err != nil {
				return err
			}
			if err := k.change(ctx, point); err != nil {
				return err
			}
			end := point.Commit
			if k.IntN(3) == 0 {
				end = point.Rollback
			}
			if err := end(ctx); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		k.t.Errorf("a change: %v", err)
	}
}

func (k *keeper) change(ctx context.Context, tx pgx.Tx) error {
	some := "(SELECT id FROM animals ORDER BY id OFFSET $1 LIMIT 1)"
	n := k.IntN(max(k.next/2, 1))
	var err error
	switch k.IntN(10) {
	case 0, 1, 2:
		err = k.birth(ctx, tx)
	case 3:
		_, err = tx.Exec(ctx, "UPDATE animals SET data = $2, plain = $3, tags = $4, tame = NOT tame WHERE id = "+some, n, k.bytes(), k.document(), k.tags())
	case 4: // two exchange what must be unique
		_, err = tx.Exec(ctx, `WITH two AS (SELECT id, name, lead(name) OVER w AS other FROM animals WINDOW w AS (ORDER BY id)),
			gone AS (SELECT id, other FROM two WHERE other IS NOT NULL ORDER BY id OFFSET $1 LIMIT 1)
			UPDATE animals SET name = 'on the way' WHERE id = (SELECT id FROM gone)`, n)
		if err == nil {
			_, err = tx.Exec(ctx, `UPDATE animals a SET name = 'was ' || a.id FROM animals o WHERE o.name = 'on the way' AND a.id > o.id
				AND a.id = (SELECT min(id) FROM animals WHERE id > o.id)`)
		}
		if err == nil {
			_, err = tx.Exec(ctx, "UPDATE animals SET name = name || ' ' || id WHERE name = 'on the way'")
		}
	case 5: // takes children and meals along
		_, err = tx.Exec(ctx, "DELETE FROM animals WHERE id = "+some, n)
	case 6: // goes, and another gets its name
		var name string
		if err = tx.QueryRow(ctx, "DELETE FROM animals WHERE id = "+some+" RETURNING name", n).Scan(&name); err == nil {
			_, err = tx.Exec(ctx, "INSERT INTO animals (id, name) VALUES ($1, $2)", k.id(), name)
		} else if errors.Is(err, pgx.ErrNoRows) {
			err = nil
		}
	case 7:
		_, err = tx.Exec(ctx, `INSERT INTO meals (number, animal, food, xid, server)
			SELECT $2, id, $3, pg_current_xact_id()::text::bigint, 'here' FROM animals ORDER BY id OFFSET $1 LIMIT 1 ON CONFLICT DO NOTHING`, n, k.IntN(5), k.text())
	case 8: // a key of several columns changes
		_, err = tx.Exec(ctx, `UPDATE meals SET number = number + 100 WHERE (animal, number) IN (SELECT animal, number FROM meals ORDER BY animal, number OFFSET $1 LIMIT 1)`, n/4)
	case 9:
		_, err = tx.Exec(ctx, `INSERT INTO "Odd ""names""" VALUES (gen_random_uuid(), $1)`, k.text())
	}
	return err
}

func (k *keeper) id() int {
	k.next++
	return k.next
}

func (k *keeper) birth(ctx context.Context, tx pgx.Tx) error {
	_, err := tx.Exec(ctx, `INSERT INTO animals (id, name, mother, data, plain, binary_doc, tags, weight, price, born, span, tame)
		VALUES ($1, $2, (SELECT id FROM animals ORDER BY id OFFSET $3 LIMIT 1), $4, $5, $6, $7, $8, $9::text::numeric, 'epoch'::timestamptz + $10 * interval '1 microsecond', $11 * interval '1 microsecond', $12)`,
		k.id(), k.text()+fmt.Sprint(k.next), k.IntN(2*k.next), k.bytes(), k.document(), k.document(), k.tags(),
		k.NormFloat64()*1e10, fmt.Sprintf("%d.%09d", k.Int64(), k.IntN(1e9)), k.Int64N(1e15), k.Int64N(1e13), k.IntN(2) == 0)
	return err
}

// text has whatever COPY must escape.
func (k *keeper) text() string {
	parts := []string{`\`, "\t", "\n", "\r", `\N`, `\.`, "'", `"`, ",", "{", "}", "", "NULL", "ä€😀", "\b\f\v", "x"}
	var b strings.Builder
	for range k.IntN(6) {
		b.WriteString(parts[k.IntN(len(parts))])
	}
	return b.String()
}

func (k *keeper) bytes() []byte {
	if k.IntN(4) == 0 {
		return nil
	}
	out := make([]byte, k.IntN(300))
	for i := range out {
		out[i] = byte(k.IntN(256))
	}
	return out
}

func (k *keeper) document() any {
	if k.IntN(4) == 0 {
		return nil
	}
	return map[string]any{k.text(): []any{k.text(), nil, k.IntN(9)}}
}

func (k *keeper) tags() []string {
	if k.IntN(4) == 0 {
		return nil
	}
	out := make([]string, k.IntN(3))
	for i := range out {
		out[i] = k.text()
	}
	return out
}
