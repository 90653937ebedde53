package pg_test

import (
	"errors"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/insulahq/insula/platform/pg"
	"github.com/insulahq/insula/platform/pg/migrate"
	"github.com/insulahq/insula/platform/pgtest"
	"github.com/insulahq/insula/platform/uow"
)

// TestReplaceOfANewerSchema: a process of a newer release has migrated the
// tenant since the copy was made. Its tables would not fit into the copy.
func TestReplaceOfANewerSchema(t *testing.T) {
	f, c := pgtest.Tenant(t), carrier(t)
	to := transfer(t, c, f.Tenant.Schema, func(pg.Table) bool { return false })
	before := rows(t, f, f.Tenant.Schema, "audit_events")
	history := pgx.Identifier{f.Tenant.Schema, migrate.RevisionTable}.Sanitize()
	mustExec(t, superuser(t, f.SuperuserURL), `INSERT INTO `+history+` (version, description, executed_at, execution_time, hash, operator_version, applied, total)
		VALUES ('99991231000000', 'newer', now(), 0, '', '', 1, 1)`)
	err := c.Replace(t.Context(), f.Tenant.Schema, to, func(uow.Tx) error {
		t.Error("it is replaced")
		return nil
	})
	if !errors.Is(err, migrate.ErrNewer) {
		t.Errorf("got %v", err)
	}
	if after := rows(t, f, f.Tenant.Schema, "audit_events"); after != before {
		t.Error("what lasts has moved")
	}
}

// TestTheOwnersSessionsAreTheirOwn: what a server or a database sets for
// everybody neither ends a long copy nor changes what an archive says.
func TestTheOwnersSessionsAreTheirOwn(t *testing.T) {
	p := pgtest.Beside(t)
	mustExec(t, superuser(t, p.SuperuserURL), `DO $$ BEGIN
		EXECUTE format('ALTER DATABASE %I SET datestyle = ''SQL, DMY''', current_database());
		EXECUTE format('ALTER DATABASE %I SET intervalstyle = ''iso_8601''', current_database());
		EXECUTE format('ALTER DATABASE %I SET bytea_output = ''escape''', current_database());
		EXECUTE format('ALTER DATABASE %I SET extra_float_digits = 0', current_database());
		EXECUTE format('ALTER DATABASE %I SET statement_timeout = ''1min''', current_database());
		EXECUTE format('ALTER DATABASE %I SET idle_in_transaction_session_timeout = ''1min''', current_database());
	END $$`)
	m, err := p.Migrator.Wide(t.Context(), 1) // whose connections are new
	if err != nil {
		t.Fatal(err)
	}
	defer m.Close()
	for setting, want := range map[string]string{
		"datestyle": "ISO, MDY", "intervalstyle": "postgres", "bytea_output": "hex", "extra_float_digits": "1",
		"statement_timeout": "0", "lock_timeout": "0", "idle_in_transaction_session_timeout": "0", "idle_session_timeout": "0",
	} {
		var got string
		err := m.Control().Read(t.Context(), func(tx uow.Tx) error {
			return pg.DB(tx).QueryRow(t.Context(), "SELECT current_setting($1)", setting).Scan(&got)
		})
		if err != nil || got != want {
			t.Errorf("%s is %q, %v", setting, got, err)
		}
	}
}
