package pg

import (
	"context"
	_ "embed"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"

	"github.com/insulahq/insula/platform/pg/internal/pgdb"
	"github.com/insulahq/insula/platform/pg/migrate"
)

//go:embed grants.sql
var tablesOf string

// grantTenant gives the role that works in a tenant's schema its tables: all
// rows, except where the table's comment begins with "append-only"; there rows
// can be added and read but never changed, and if the comment goes on with
// ", removable" retention may remove them: by a role of its own, where tenants
// have roles of theirs. It runs after every migration.
func grantTenant(ctx context.Context, tx pgx.Tx, schema string, roles Roles) error {
	worker := roles.of(schema)
	rows, err := tx.Query(ctx, tablesOf, schema, worker)
	if err != nil {
		return err
	}
	type table struct {
		Name       string
		AppendOnly bool
		Removable  bool
		Rights     string
	}
	tables, err := pgx.CollectRows(rows, pgx.RowToStructByPos[table])
	if err != nil {
		return err
	}
	statements := []string{fmt.Sprintf("GRANT USAGE ON SCHEMA %s TO %s", ident(schema), ident(worker))}
	if roles == RolePerTenant {
		statements[0] += ", " + ident(RetentionRole)
	}
	for _, t := range tables {
		name := pgx.Identifier{schema, t.Name}.Sanitize()
		if t.Removable && roles == RolePerTenant {
			statements = append(statements, fmt.Sprintf("GRANT SELECT, DELETE ON %s TO %s", name, ident(RetentionRole)))
		}
		rights := "DELETE, INSERT, SELECT, UPDATE"
		switch {
		case t.Removable && roles == OneRole:
			rights = "DELETE, INSERT, SELECT"
		case t.AppendOnly:
			rights = "INSERT, SELECT"
		}
		if t.Rights == rights {
			continue // granting it again would write the catalog for nothing
		}
		if t.Rights != "" {
			statements = append(statements, fmt.Sprintf("REVOKE ALL ON %s FROM %s", name, ident(worker)))
		}
		statements = append(statements, fmt.Sprintf("GRANT %s ON %s TO %s", rights, name, ident(worker)))
	}
	return execAll(ctx, tx, statements)
}

// grantControl lets the application see the registry, keep signing keys, count
// requests and note who is busy.
// Everything else in the control schema is the landlord's, whose rights follow
// when the schema grows.
func grantControl(ctx context.Context, tx pgx.Tx, roles Roles) error {
	app := ident(AppRole)
	err := execAll(ctx, tx, []string{
		"GRANT USAGE ON SCHEMA control TO " + app,
		"GRANT SELECT ON control.tenants, control.operations, control.moving TO " + app,
		"GRANT SELECT, INSERT, DELETE, UPDATE (expires_at) ON control.signing_keys TO " + app,
		"GRANT SELECT, INSERT, UPDATE, DELETE ON control.usage_days, control.usage_batches, control.busy_tenants TO " + app,
	})
	if err != nil {
		return err
	}
	landlord, err := pgdb.New().LandlordSchema(ctx, tx)
	if errors.Is(err, pgx.ErrNoRows) {
		return nil
	}
	if err != nil {
		return err
	}
	return grantLandlord(ctx, tx, landlord, roles)
}

// grantLandlord lets the operator's tenant change the registry. Its role is
// the only tenant role with rights outside its own schema. Where one role works
// for all tenants, it is that one.
func grantLandlord(ctx context.Context, tx pgx.Tx, schema string, roles Roles) error {
	landlord := ident(roles.of(schema))
	return execAll(ctx, tx, []string{
		"GRANT USAGE ON SCHEMA control TO " + landlord,
		"GRANT SELECT, INSERT, UPDATE ON control.tenants, control.operations, control.backups TO " + landlord,
		"GRANT SELECT ON control.fleet_freezes TO " + landlord,
		"GRANT SELECT, INSERT ON control.copies TO " + landlord,
		"GRANT SELECT, INSERT, DELETE ON control.deletions TO " + landlord,
		"GRANT INSERT ON control.erasures TO " + landlord,
		"GRANT SELECT, INSERT ON control.erasure_receipts TO " + landlord,
	})
}

func execAll(ctx context.Context, tx pgx.Tx, statements []string) error {
	if failed, err := migrate.Exec(ctx, tx, statements); err != nil {
		return fmt.Errorf("%s: %w", statements[failed], err)
	}
	return nil
}
