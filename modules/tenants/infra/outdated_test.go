package infra_test

import (
	"context"
	"errors"
	"slices"
	"testing"
	"testing/fstest"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/insulahq/insula/modules/tenants/domain"
	"github.com/insulahq/insula/modules/tenants/infra"
	"github.com/insulahq/insula/platform/clock"
	"github.com/insulahq/insula/platform/pg"
	"github.com/insulahq/insula/platform/pgtest"
	"github.com/insulahq/insula/platform/s3x"
	"github.com/insulahq/insula/platform/s3x/s3test"
	"github.com/insulahq/insula/platform/tenancy"
	"github.com/insulahq/insula/platform/uow"
)

// Two versions of a product, the second of which changes rows that are there.
const (
	older = 20260101000000
	newer = 20260102000000

	olderSteps = "CREATE TABLE rooms (id integer NOT NULL, name text, CONSTRAINT rooms_pkey PRIMARY KEY (id));\n" +
		"CREATE TABLE notes (id integer NOT NULL, CONSTRAINT notes_pkey PRIMARY KEY (id));\nCOMMENT ON TABLE notes IS 'lasting';"
	newerSteps = "ALTER TABLE rooms ADD COLUMN floor integer;\nUPDATE rooms SET floor = id / 100;\n" +
		"ALTER TABLE rooms ALTER COLUMN floor SET NOT NULL;\nALTER TABLE rooms DROP COLUMN name;"
)

// product is an installation of one version, on the same database and store as
// the others.
type product struct {
	migrator *pg.Migrator
	copies   *infra.Copies
	backups  *infra.Backups
	porter   *infra.Porter
}

func install(t *testing.T, blobs s3x.Blobs, versions map[int64]string) product {
	t.Helper()
	dir, err := pgtest.Migrations(versions)
	if err != nil {
		t.Fatal(err)
	}
	p := product{backups: infra.NewBackups()}
	if p.migrator, err = pg.OpenMigrator(t.Context(), pgtest.Database(t).MigratorURL, fstest.MapFS{}, dir); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.migrator.Close)
	carriers, err := pg.NewPlacements(p.migrator, nil).Carriers(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(carriers.Close)
	p.copies = infra.NewCopies(p.migrator.Control, nil, repo, p.backups, clock.At(start))
	p.porter = infra.NewPorter(carriers, blobs, p.copies, nil, nil, clock.At(start))
	return p
}

// house makes an active tenant of the version of the product.
func (p product) house(t *testing.T, slug string) domain.Tenant {
	t.Helper()
	one := tenant(t, slug)
	one.Status = tenancy.Active
	err := p.migrator.Provision(t.Context(), pg.Provisioning{
		Schema: one.Schema,
		Claim:  func(ctx context.Context, tx uow.Tx) (bool, error) { return true, repo.Insert(ctx, tx, one) },
	}, func(tx uow.Tx) error {
		_, err := pg.DB(tx).Exec(t.Context(), "INSERT INTO rooms (id, name) VALUES (101, 'study'), (212, E'bath\tand so on')")
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return one
}

// anySlug is one that no other test and no other run of this one has.
func anySlug() string { return "t" + uuid.NewString()[24:] }

func silent(int64, int64) {}

// backUp makes an archive of a tenant.
func (p product) backUp(t *testing.T, of domain.Tenant) domain.Backup {
	t.Helper()
	b, err := domain.NewBackup(uuid.New(), uuid.New(), of, domain.ByRequest, start)
	if err != nil {
		t.Fatal(err)
	}
	if b.Packed, err = p.porter.Pack(t.Context(), of, b.Object, silent); err != nil {
		t.Fatal(err)
	}
	b.Status = domain.BackupComplete
	return b
}

// unpack does what an archive is to become, up to its last step.
func (p product) unpack(t *testing.T, c domain.Copy, b domain.Backup) (domain.Copy, error) {
	t.Helper()
	if err := control(t, func(tx uow.Tx) error { return p.backups.InsertCopy(t.Context(), tx, c) }); err != nil {
		t.Fatal(err)
	}
	c, err := p.copies.Begin(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	if err := p.porter.Check(t.Context(), b); err != nil {
		t.Fatal(err)
	}
	return c, p.porter.Unpack(t.Context(), c, b, silent)
}

// TestAnOlderArchiveIsBroughtUp to the version of today, as a new tenant and in
// place; one of tomorrow is refused.
func TestAnOlderArchiveIsBroughtUp(t *testing.T) {
	blobs := s3test.NewMemory(t, clock.At(start))
	before := install(t, blobs, map[int64]string{older: olderSteps})
	after := install(t, blobs, map[int64]string{older: olderSteps, newer: newerSteps})
	old := before.house(t, anySlug())
	b := before.backUp(t, old)

	fresh := tenant(t, anySlug())
	insert(t, fresh)
	c, err := after.unpack(t, domain.Founding(uuid.New(), b, fresh), b)
	if err == nil {
		err = after.porter.Complete(t.Context(), c)
	}
	if err != nil {
		t.Fatal(err)
	}
	after.isNew(t, fresh.ID)

	c, err = domain.Replacing(uuid.New(), b, old, uuid.New())
	if err == nil {
		c, err = after.unpack(t, c, b)
	}
	if err == nil {
		err = after.porter.Replace(t.Context(), c)
	}
	if err != nil {
		t.Fatal(err)
	}
	back := after.isNew(t, old.ID)

	refused := tenant(t, anySlug())
	insert(t, refused)
	tomorrow := after.backUp(t, back)
	if _, err := before.unpack(t, domain.Founding(uuid.New(), tomorrow, refused), tomorrow); !errors.Is(err, domain.ErrArchiveNewer) {
		t.Errorf("an archive of tomorrow: %v", err)
	}
}

// isNew looks at a tenant that was brought up: its rows, its schema, and what
// the registry says of it.
func (p product) isNew(t *testing.T, id uuid.UUID) domain.Tenant {
	t.Helper()
	one, err := p.copies.Tenant(t.Context(), id)
	if err != nil || one.Status != tenancy.Active {
		t.Fatalf("the tenant is %+v, %v", one, err)
	}
	db, err := pgx.Connect(t.Context(), pgtest.Database(t).SuperuserURL)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close(context.WithoutCancel(t.Context()))
	found, _ := db.Query(t.Context(), "SELECT r::text FROM "+pgx.Identifier{one.Schema, "rooms"}.Sanitize()+" r ORDER BY id")
	rows, err := pgx.CollectRows(found, pgx.RowTo[string])
	if err != nil || !slices.Equal(rows, []string{"(101,1)", "(212,2)"}) {
		t.Errorf("the rows are %v, %v", rows, err)
	}
	var registered int64
	if err := db.QueryRow(t.Context(), "SELECT schema_version FROM control.tenants WHERE id = $1", id).Scan(&registered); err != nil || registered != newer {
		t.Errorf("the registry says version %d, %v", registered, err)
	}
	actual, version, err := p.migrator.Actual(t.Context(), one.Schema)
	if err != nil || version != newer {
		t.Fatalf("its own history says version %d, %v", version, err)
	}
	declared, err := p.migrator.Declared(t.Context(), newer, false)
	if err != nil || declared.Fingerprint() != actual.Fingerprint() {
		t.Errorf("the schema is not as its version declares it: %v", err)
	}
	return one
}
