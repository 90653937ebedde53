package pg

import (
	"context"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"

	"github.com/insulahq/insula/platform/pg/catalog"
)

// ErrUnknownVersion says that this binary does not have the migrations of a
// schema, because a newer one made it.
var ErrUnknownVersion = errors.New("this binary does not know the version")

// Declared lists what a tenant's schema of a version has: its objects and the
// rights on them. It builds one, with its role, and rolls that back.
func (m *Migrator) Declared(ctx context.Context, version int64, landlord bool) (catalog.Catalog, error) {
	dir, ok := m.tenant.Until(text(version))
	if !ok {
		return nil, fmt.Errorf("%w %d", ErrUnknownVersion, version)
	}
	conn, err := m.pool.Acquire(ctx)
	if err != nil {
		return nil, err
	}
	defer conn.Release()
	tx, err := conn.Begin(ctx)
	if err != nil {
		return nil, err
	}
	defer func() { _ = tx.Rollback(context.WithoutCancel(ctx)) }() // it is not to be kept
	schema := fmt.Sprintf("insula_declared_%d", conn.Conn().PgConn().PID())
	if err := makeSchema(ctx, tx, schema, m.roles); err != nil {
		return nil, err
	}
	if _, err := dir.Apply(ctx, tx, schema); err != nil {
		return nil, err
	}
	if err := grantTenant(ctx, tx, schema, m.roles); err != nil {
		return nil, err
	}
	if landlord {
		if err := grantLandlord(ctx, tx, schema, m.roles); err != nil {
			return nil, err
		}
	}
	return inventory(ctx, tx, schema)
}

// Actual lists what a tenant's schema really has, in the terms of Declared,
// and the version of its own history.
func (m *Migrator) Actual(ctx context.Context, schema string) (catalog.Catalog, int64, error) {
	found, err := inventory(ctx, m.pool, schema)
	if err != nil {
		return nil, 0, err
	}
	status, err := m.tenant.Status(ctx, m.pool, schema)
	if err != nil {
		return nil, 0, err
	}
	version, err := number(status.Current)
	return found, version, err
}

func inventory(ctx context.Context, db catalog.Beginner, schema string) (catalog.Catalog, error) {
	objects, err := catalog.Read(ctx, db, schema)
	if err != nil {
		return nil, err
	}
	rights, err := catalog.Rights(ctx, db, schema)
	return append(objects, rights...), err
}

// makeSchema makes an empty schema and, where each tenant has one, the role
// that will work in it.
func makeSchema(ctx context.Context, tx pgx.Tx, schema string, roles Roles) error {
	statements := []string{"CREATE SCHEMA " + ident(schema)}
	if roles == RolePerTenant {
		statements = append(statements,
			"CREATE ROLE "+ident(schema)+" NOLOGIN",
			"GRANT "+ident(schema)+" TO "+ident(AppRole))
	}
	return execAll(ctx, tx, statements)
}
