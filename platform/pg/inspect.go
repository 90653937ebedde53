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

// makeSchema makes an empty schema and the role that will work in it.
func makeSchema(ctx context.Context, tx pgx.Tx, schema string, roles Roles) error {
	if err := execAll(ctx, tx, []string{"CREATE SCHEMA " + ident(schema)}); err != nil {
		return err
	}
	return makeRole(ctx, tx, schema, roles)
}

// makeRole makes the role of a schema where each tenant has one. Roles belong
// to the whole server: while a tenant moves between two databases of one
// server, its role is there already.
func makeRole(ctx context.Context, tx pgx.Tx, schema string, roles Roles) error {
	if roles == OneRole {
		return nil
	}
	exists, _, err := roleUse(ctx, tx, schema)
	if err != nil {
		return err
	}
	var statements []string
	if !exists {
		statements = append(statements, "CREATE ROLE "+ident(schema)+" NOLOGIN")
	}
	return execAll(ctx, tx, append(statements, "GRANT "+ident(schema)+" TO "+ident(AppRole)))
}

// roleUse reports whether a role exists, and whether another database of the
// server has something that depends on it.
func roleUse(ctx context.Context, tx pgx.Tx, role string) (exists, elsewhere bool, err error) {
	const sql = `
SELECT count(*) > 0, coalesce(bool_or(EXISTS (
    SELECT FROM pg_catalog.pg_shdepend d, pg_catalog.pg_database b
    WHERE d.refclassid = 'pg_catalog.pg_authid'::regclass AND d.refobjid = r.oid
      AND d.dbid = b.oid AND b.datname <> current_database())), false)
FROM pg_catalog.pg_roles r WHERE r.rolname = $1`
	err = tx.QueryRow(ctx, sql, role).Scan(&exists, &elsewhere)
	return exists, elsewhere, err
}

// dropRole removes a tenant's role, unless the tenant is in another database
// of the server too.
func dropRole(ctx context.Context, tx pgx.Tx, role string) error {
	exists, elsewhere, err := roleUse(ctx, tx, role)
	if err != nil || !exists || elsewhere {
		return err
	}
	return execAll(ctx, tx, []string{"DROP ROLE " + ident(role)})
}
