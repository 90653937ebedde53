package pg_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/insulahq/insula/platform/pg"
	"github.com/insulahq/insula/platform/pgtest"
	"github.com/insulahq/insula/platform/tenancy"
	"github.com/insulahq/insula/platform/uow"
)

// Where one role works for all tenants, none has one of its own, and the
// schema alone keeps them apart.
func TestOneRoleKeepsTenantsApartBySchema(t *testing.T) {
	t.Parallel()
	db := pgtest.OneRole(t)
	a, b := pgtest.TenantIn(t, db), pgtest.TenantIn(t, db)
	seeOnlyTheirOwn(t, a, b)
	var role, path string
	var own bool
	a.Write(t, func(tx uow.Tx) error {
		return pg.DB(tx).QueryRow(t.Context(), `SELECT current_user, current_setting('search_path'),
			EXISTS (SELECT FROM pg_roles WHERE rolname = $1)`, a.Tenant.Schema).Scan(&role, &path, &own)
	})
	if role != pg.AppRole || path != a.Tenant.Schema || own {
		t.Errorf("works as %s in %s; a role of its own: %t", role, path, own)
	}
	b.Tenant.ID[15] ^= 1 // nobody's
	err := b.Unit().Read(t.Context(), func(tx uow.Tx) error { _, err := roleNames(t.Context(), tx); return err })
	if !errors.Is(err, tenancy.ErrUnknown) {
		t.Errorf("a tenant that is not there: %v", err)
	}
}

// Without a tenant there is no schema, and no table in it.
func TestOneRoleShowsNothingWithoutATenant(t *testing.T) {
	t.Parallel()
	db := pgtest.OneRole(t)
	mark(t, pgtest.TenantIn(t, db))
	err := db.Pool.Control().Read(t.Context(), func(tx uow.Tx) error { _, err := roleNames(t.Context(), tx); return err })
	if err == nil || !strings.Contains(err.Error(), `relation "roles" does not exist`) {
		t.Fatalf("got %v, want that there is no such table", err)
	}
}

func TestOneRoleStillRefuses(t *testing.T) {
	t.Parallel()
	f := pgtest.TenantIn(t, pgtest.OneRole(t))
	for name, sql := range map[string]string{
		"DDL":                           `CREATE TABLE loot (id int)`,
		"DDL elsewhere":                 `CREATE SCHEMA loot`,
		"changing the trail":            `UPDATE audit_events SET code = ''`,
		"emptying the trail":            `TRUNCATE audit_events`,
		"the passwords of the database": `SELECT count(*) FROM pg_authid`,
	} {
		err := f.Unit().Write(t.Context(), func(tx uow.Tx) error {
			_, err := pg.DB(tx).Exec(t.Context(), sql)
			return err
		})
		if err == nil || !strings.Contains(err.Error(), "permission denied") && !strings.Contains(err.Error(), "must be owner") {
			t.Errorf("%s: got %v, want a refusal", name, err)
		}
	}
}

// Retention removes rows in either mode: by a role of its own, or as the one
// role that there is.
func TestRetentionRemovesInEitherMode(t *testing.T) {
	t.Parallel()
	for name, db := range map[string]pgtest.DB{"a role per tenant": pgtest.Database(t), "one role": pgtest.OneRole(t)} {
		f := pgtest.TenantIn(t, db)
		remove := `DELETE FROM audit_words`
		f.Write(t, func(tx uow.Tx) error {
			return pg.AsRetention(t.Context(), tx, func() error { _, err := pg.DB(tx).Exec(t.Context(), remove); return err })
		})
		err := f.Unit().Write(t.Context(), func(tx uow.Tx) error { _, err := pg.DB(tx).Exec(t.Context(), remove); return err })
		if refused := err != nil; refused != (name == "a role per tenant") {
			t.Errorf("%s: anybody else: %v", name, err)
		}
	}
}
