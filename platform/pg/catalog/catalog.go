package catalog

import (
	"cmp"
	"context"
	"crypto/sha256"
	_ "embed"
	"encoding/hex"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"
)

// ErrNoSchema is what Read answers for a schema that does not exist.
var ErrNoSchema = errors.New("no such schema")

var (
	//go:embed catalog.sql
	objectsSQL string
	//go:embed rights.sql
	rightsSQL string
)

// Object is one thing in a schema.
type Object struct {
	Kind       string // table, column, index …
	Name       string // unique within its kind, without the schema: users, users.email, users_email_key
	Definition string // on one line, without the schema's name
}

// key tells two objects of one schema apart.
func (o Object) key() string { return o.Kind + " " + o.Name }

// String is the line of the object in the listing.
func (o Object) String() string { return strings.TrimSpace(o.key() + " " + o.Definition) }

// Catalog is all there is in one schema, sorted by kind and name.
type Catalog []Object

// Beginner starts a transaction: a pool, a connection, or a transaction, in which it is a savepoint.
type Beginner interface {
	Begin(ctx context.Context) (pgx.Tx, error)
}

// Read lists a schema. It changes nothing; its transaction, which it rolls back, is for the search path: how
// PostgreSQL prints a name depends on it.
func Read(ctx context.Context, db Beginner, schema string) (Catalog, error) {
	return list(ctx, db, schema, objectsSQL)
}

// Rights lists who may do what in a schema, and what the role of the same name may do elsewhere in the database.
// The owner of an object is not named: it may do everything. It changes nothing either.
func Rights(ctx context.Context, db Beginner, schema string) (Catalog, error) {
	return list(ctx, db, schema, rightsSQL)
}

func list(ctx context.Context, db Beginner, schema, query string) (Catalog, error) {
	tx, err := db.Begin(ctx)
	if err != nil {
		return nil, fmt.Errorf("read catalog of %s: %w", schema, err)
	}
	defer func() { _ = tx.Rollback(ctx) }() // nothing was written that could be lost
	objects, err := read(ctx, tx, schema, query)
	if err != nil {
		return nil, fmt.Errorf("read catalog of %s: %w", schema, err)
	}
	return objects, nil
}

func read(ctx context.Context, tx pgx.Tx, schema, query string) (Catalog, error) {
	if _, err := tx.Exec(ctx, "SET LOCAL search_path = ''"); err != nil {
		return nil, err
	}
	var oid uint32
	var quoted string
	row := tx.QueryRow(ctx, "SELECT oid, quote_ident(nspname) FROM pg_namespace WHERE nspname = $1", schema)
	if err := row.Scan(&oid, &quoted); errors.Is(err, pgx.ErrNoRows) {
		return nil, ErrNoSchema
	} else if err != nil {
		return nil, err
	}
	rows, err := tx.Query(ctx, query, oid)
	if err != nil {
		return nil, err
	}
	objects, err := pgx.CollectRows(rows, pgx.RowToStructByPos[Object])
	if err != nil {
		return nil, err
	}
	return normalise(objects, quoted), nil
}

// normalise takes the schema's name out of the definitions and sorts by bytes, whatever the database's collation.
func normalise(objects Catalog, quoted string) Catalog {
	prefix := regexp.MustCompile(`(^|[^\w$".])` + regexp.QuoteMeta(quoted) + `\.`)
	for i := range objects {
		d := prefix.ReplaceAllString(objects[i].Definition, "$1")
		objects[i].Definition = strings.ReplaceAll(strings.TrimSpace(d), "\n", `\n`)
		objects[i].Name = prefix.ReplaceAllString(objects[i].Name, "$1")
	}
	slices.SortFunc(objects, func(a, b Object) int {
		return cmp.Or(cmp.Compare(a.Kind, b.Kind), cmp.Compare(a.Name, b.Name), cmp.Compare(a.Definition, b.Definition))
	})
	return objects
}

// Fingerprint is a hash of the catalog, in hexadecimal: equal for equal catalogs.
func (c Catalog) Fingerprint() string {
	h := sha256.New()
	for _, o := range c {
		fmt.Fprintf(h, "%s\n", o)
	}
	return hex.EncodeToString(h.Sum(nil))
}
