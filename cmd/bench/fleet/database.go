package main

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"testing/fstest"

	atlas "ariga.io/atlas/sql/migrate"
	"github.com/jackc/pgx/v5"

	"github.com/insulahq/insula/platform/pg"
	"github.com/insulahq/insula/platform/secret"
	"github.com/insulahq/insula/sql/migrations"
)

// database is one of the measurement's own, with the migrator of the product
// and the one of the version after it.
type database struct {
	name     string
	app      string // URL of the application
	admin    *pgx.Conn
	now      *pg.Migrator
	upcoming *pg.Migrator
}

func openDatabase(ctx context.Context, o options) (*database, error) {
	d := &database{name: fmt.Sprintf("insula_fleet_%d", os.Getpid())}
	password := secret.New(rand.Text())
	app, url, err := pg.Bootstrap(ctx, o.url, pg.BootstrapParams{Database: d.name, AppPassword: password, MigratorPassword: password})
	if err != nil {
		return nil, err
	}
	d.app = app
	if d.admin, err = pgx.Connect(ctx, o.url); err != nil {
		return nil, err
	}
	if d.now, err = pg.OpenMigrator(ctx, secret.New(url), migrations.Control, migrations.Tenant); err != nil {
		return nil, err
	}
	files, err := next(migrations.Tenant)
	if err != nil {
		return nil, err
	}
	if d.upcoming, err = pg.OpenMigrator(ctx, secret.New(url), migrations.Control, files); err != nil {
		return nil, err
	}
	_, err = d.now.UpgradeControl(ctx)
	return d, err
}

func (d *database) drop(ctx context.Context) error {
	d.now.Close()
	d.upcoming.Close()
	_, err := d.admin.Exec(ctx, "DROP DATABASE "+pgx.Identifier{d.name}.Sanitize()+" WITH (FORCE)")
	return errors.Join(err, d.admin.Close(ctx))
}

// next is the product's migrations and two more.
func next(product fs.FS) (fs.FS, error) {
	out := fstest.MapFS{}
	names, err := fs.Glob(product, "*.sql")
	if err != nil {
		return nil, err
	}
	for _, name := range names {
		text, err := fs.ReadFile(product, name)
		if err != nil {
			return nil, err
		}
		out[name] = &fstest.MapFile{Data: text}
	}
	out["29990101000000_column.sql"] = &fstest.MapFile{Data: []byte("ALTER TABLE users ADD COLUMN nickname text;\n")}
	out["29990102000000_index.sql"] = &fstest.MapFile{Data: []byte("-- atlas:txmode none\n\nCREATE INDEX CONCURRENTLY users_nickname_idx ON users (nickname);\n")}
	return out, sum(out)
}

// sum adds atlas.sum.
func sum(files fstest.MapFS) error {
	names, err := fs.Glob(files, "*.sql") // sorted
	if err != nil {
		return err
	}
	var all []atlas.File
	for _, name := range names {
		all = append(all, atlas.NewLocalFile(name, files[name].Data))
	}
	hash, err := atlas.NewHashFile(all)
	if err != nil {
		return err
	}
	text, err := hash.MarshalText()
	files[atlas.HashFileName] = &fstest.MapFile{Data: text}
	return err
}
