package pg

import (
	"context"
	"crypto/rand"
	"fmt"
	"net/url"

	"github.com/jackc/pgx/v5"

	"github.com/insulahq/insula/platform/secret"
)

// The two roles that log in. Every tenant has a third one, of the name of its
// schema, which cannot log in and which the application takes on for the
// length of a transaction.
const (
	AppRole      = "insula_app"      // serves requests; no DDL, inherits nothing
	MigratorRole = "insula_migrator" // owns the database; makes schemas and roles
)

// RetentionRole alone may remove rows of the tables that are otherwise only
// added to. It cannot log in; AsRetention takes it on for one statement.
const RetentionRole = "insula_retention"

// BootstrapParams say what to make.
type BootstrapParams struct {
	Database         string
	AppPassword      secret.Value
	MigratorPassword secret.Value
}

// Bootstrap makes the roles and the database, as a superuser, where they are
// missing, and sets the passwords of the roles. It returns the URLs that the
// application and the migrator use.
func Bootstrap(ctx context.Context, superuserURL string, p BootstrapParams) (appURL, migratorURL string, err error) {
	conn, err := pgx.Connect(ctx, superuserURL)
	if err != nil {
		return "", "", fmt.Errorf("bootstrap: %w", err)
	}
	defer conn.Close(context.WithoutCancel(ctx))
	if err := bootstrapRoles(ctx, conn, p); err != nil {
		return "", "", fmt.Errorf("bootstrap roles: %w", err)
	}
	if err := bootstrapDatabase(ctx, conn, p.Database); err != nil {
		return "", "", fmt.Errorf("bootstrap database: %w", err)
	}
	if appURL, err = as(superuserURL, AppRole, p.AppPassword, p.Database); err != nil {
		return "", "", err
	}
	migratorURL, err = as(superuserURL, MigratorRole, p.MigratorPassword, p.Database)
	return appURL, migratorURL, err
}

func bootstrapRoles(ctx context.Context, conn *pgx.Conn, p BootstrapParams) error {
	tx, err := conn.Begin(ctx)
	if err != nil {
		return err
	}
	defer func() { _ = tx.Rollback(context.WithoutCancel(ctx)) }() // does nothing after a commit
	// Roles belong to the whole cluster: two bootstraps at once must queue.
	if _, err := tx.Exec(ctx, "SELECT pg_advisory_xact_lock(hashtext('insula bootstrap'))"); err != nil {
		return err
	}
	for _, role := range []struct {
		name, options string
		password      secret.Value
	}{
		{MigratorRole, "LOGIN CREATEROLE NOSUPERUSER", p.MigratorPassword},
		{AppRole, "LOGIN NOINHERIT NOSUPERUSER NOCREATEDB NOCREATEROLE", p.AppPassword},
	} {
		var exists bool
		if err := tx.QueryRow(ctx, "SELECT EXISTS (SELECT FROM pg_roles WHERE rolname = $1)", role.name).Scan(&exists); err != nil {
			return err
		}
		verb := "CREATE"
		if exists {
			verb = "ALTER"
		}
		password, err := scramVerifier(rand.Reader, role.password.Reveal())
		if err != nil {
			return err
		}
		// A verifier is base64 and punctuation: it needs no quoting, and keeps
		// the password itself out of the server's log.
		statement := fmt.Sprintf("%s ROLE %s WITH %s PASSWORD '%s'", verb, ident(role.name), role.options, password)
		if _, err := tx.Exec(ctx, statement); err != nil {
			return err
		}
	}
	if err := bootstrapRetention(ctx, tx); err != nil {
		return err
	}
	return tx.Commit(ctx)
}

func bootstrapRetention(ctx context.Context, tx pgx.Tx) error {
	var exists bool
	if err := tx.QueryRow(ctx, "SELECT EXISTS (SELECT FROM pg_roles WHERE rolname = $1)", RetentionRole).Scan(&exists); err != nil || exists {
		return err
	}
	return execAll(ctx, tx, []string{
		"CREATE ROLE " + ident(RetentionRole) + " NOLOGIN NOINHERIT NOSUPERUSER NOCREATEDB NOCREATEROLE",
		"GRANT " + ident(RetentionRole) + " TO " + ident(AppRole),
	})
}

func bootstrapDatabase(ctx context.Context, conn *pgx.Conn, name string) error {
	var exists bool
	if err := conn.QueryRow(ctx, "SELECT EXISTS (SELECT FROM pg_database WHERE datname = $1)", name).Scan(&exists); err != nil {
		return err
	}
	statements := []string{
		fmt.Sprintf("REVOKE ALL ON DATABASE %s FROM PUBLIC", ident(name)),
		fmt.Sprintf("GRANT CONNECT ON DATABASE %s TO %s", ident(name), ident(AppRole)),
	}
	if !exists {
		create := fmt.Sprintf("CREATE DATABASE %s OWNER %s", ident(name), ident(MigratorRole))
		statements = append([]string{create}, statements...)
	}
	for _, s := range statements {
		if _, err := conn.Exec(ctx, s); err != nil {
			return err
		}
	}
	return nil
}

// as is a URL for another user and database on the same server.
func as(base, user string, password secret.Value, database string) (string, error) {
	u, err := url.Parse(base)
	if err != nil {
		return "", fmt.Errorf("database URL: %w", err)
	}
	u.User = url.UserPassword(user, password.Reveal())
	u.Path = "/" + database
	return u.String(), nil
}

func ident(name string) string { return pgx.Identifier{name}.Sanitize() }
