package main

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
)

// dropLimit bounds the removal of the database.
const dropLimit = 20 * time.Second

// drop removes the database, if it was made.
func (d database) drop() error {
	if d.appURL == "" {
		return nil
	}
	ctx, cancel := context.WithTimeout(context.Background(), dropLimit)
	defer cancel()
	conn, err := pgx.Connect(ctx, d.superuserURL)
	if err != nil {
		return err
	}
	defer conn.Close(ctx)
	_, err = conn.Exec(ctx, "DROP DATABASE "+pgx.Identifier{d.name}.Sanitize()+" WITH (FORCE)")
	return err
}

// backends lists the processes of the server that work for connections of
// that name.
func (d database) backends(ctx context.Context, name string) ([]int, error) {
	conn, err := pgx.Connect(ctx, d.superuserURL)
	if err != nil {
		return nil, err
	}
	defer conn.Close(ctx)
	rows, err := conn.Query(ctx, "SELECT pid FROM pg_stat_activity WHERE datname = $1 AND application_name = $2", d.name, name)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, pgx.RowTo[int])
}

// schemaOf is where the tenant with that id lives.
func (d database) schemaOf(ctx context.Context, id uuid.UUID) (schema string, err error) {
	conn, err := pgx.Connect(ctx, d.migratorURL)
	if err != nil {
		return "", err
	}
	defer conn.Close(ctx)
	err = conn.QueryRow(ctx, "SELECT schema_name FROM control.tenants WHERE id = $1", id).Scan(&schema)
	return schema, err
}

// fill adds active users with one role each, as their operations would leave
// them but for the audit trail, and returns their ids.
func (d database) fill(ctx context.Context, schema string, n int) ([]uuid.UUID, error) {
	conn, err := pgx.Connect(ctx, d.migratorURL)
	if err != nil {
		return nil, err
	}
	defer conn.Close(ctx)
	ids := make([]uuid.UUID, n)
	begin := time.Now().UTC().Add(-time.Duration(n) * time.Second)
	row := func(i int) ([]any, error) {
		ids[i] = uuid.Must(uuid.NewV7())
		email := fmt.Sprintf("user%06d@bench.example", i)
		at := begin.Add(time.Duration(i) * time.Second)
		name := fmt.Sprintf("User %d", i)
		return []any{ids[i], email, email, name, strings.ToLower(name), "", "", "active", nil, false, 1, 1, at, at}, nil
	}
	columns := []string{"id", "email", "email_key", "name", "name_key", "locale", "time_zone", "status",
		"password_hash", "second_factor", "access_version", "version", "created_at", "updated_at"}
	if _, err := conn.CopyFrom(ctx, pgx.Identifier{schema, "users"}, columns, pgx.CopyFromSlice(n, row)); err != nil {
		return nil, fmt.Errorf("add users: %w", err)
	}
	role := "INSERT INTO %[1]s.user_roles (user_id, role_id) SELECT u.id, r.id FROM %[1]s.users u, %[1]s.roles r " +
		"WHERE r.name = 'member' ON CONFLICT DO NOTHING"
	name := pgx.Identifier{schema}.Sanitize()
	if _, err := conn.Exec(ctx, fmt.Sprintf(role, name)); err != nil {
		return nil, fmt.Errorf("give roles to users: %w", err)
	}
	for _, table := range []string{"users", "roles", "user_roles"} {
		if _, err := conn.Exec(ctx, "ANALYZE "+name+"."+table); err != nil {
			return nil, err
		}
	}
	return ids, nil
}
