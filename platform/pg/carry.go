package pg

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"github.com/jackc/pgx/v5"

	"github.com/insulahq/insula/platform/pg/catalog"
)

// Carrier takes the rows of a tenant's schema out of a database and into one:
// what copying a tenant is made of. It has a few connections of its own, so
// that hours of copying keep nobody waiting who makes or changes schemas.
type Carrier struct {
	m *Migrator

	mu       sync.Mutex
	declared map[int64]string // fingerprints by version
}

// ErrDrift says that a schema is not the one that the migrations of its
// version build: what is taken out of it might not go in anywhere again.
var ErrDrift = errors.New("the schema is not as its version declares it")

// carrierConns is enough for two copies at once: each holds a lock, a snapshot
// and a connection that writes.
const carrierConns = 8

// Carrier makes a carrier; the caller closes it.
func (m *Migrator) Carrier(ctx context.Context) (*Carrier, error) {
	own, err := m.Wide(ctx, carrierConns)
	if err != nil {
		return nil, err
	}
	return &Carrier{m: own, declared: map[int64]string{}}, nil
}

// Close closes the connections.
func (c *Carrier) Close() { c.m.Close() }

// Version is the version that schemas are brought to.
func (c *Carrier) Version() int64 { return c.m.TenantVersion() }

// Fingerprint is that of an untouched schema of a version; ErrUnknownVersion.
func (c *Carrier) Fingerprint(ctx context.Context, version int64) (string, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if known, ok := c.declared[version]; ok {
		return known, nil
	}
	dir, ok := c.m.tenant.Until(text(version))
	if !ok {
		return "", fmt.Errorf("%w %d", ErrUnknownVersion, version)
	}
	conn, err := c.m.pool.Acquire(ctx)
	if err != nil {
		return "", err
	}
	defer conn.Release()
	tx, err := conn.Begin(ctx)
	if err != nil {
		return "", err
	}
	defer func() { _ = tx.Rollback(context.WithoutCancel(ctx)) }() // it is not to be kept
	schema := fmt.Sprintf("insula_declared_%d", conn.Conn().PgConn().PID())
	if _, err := tx.Exec(ctx, "CREATE SCHEMA "+ident(schema)); err != nil {
		return "", err
	}
	if _, err := dir.Apply(ctx, tx, schema); err != nil {
		return "", err
	}
	objects, err := catalog.Read(ctx, tx, schema)
	if err != nil {
		return "", err
	}
	c.declared[version] = objects.Fingerprint()
	return c.declared[version], nil
}

// Remove removes a schema and its role, table by table: one transaction for
// all would take more locks than a server may have. What is gone already is
// passed over.
func (c *Carrier) Remove(ctx context.Context, schema string) error {
	tables, err := tablesIn(ctx, c.m.pool, schema)
	if err != nil {
		return err
	}
	for _, t := range tables {
		if _, err := c.m.pool.Exec(ctx, "DROP TABLE IF EXISTS "+pgx.Identifier{schema, t.Name}.Sanitize()+" CASCADE"); err != nil {
			return fmt.Errorf("remove schema %s: %w", schema, err)
		}
	}
	err = pgx.BeginFunc(ctx, c.m.pool, func(tx pgx.Tx) error {
		statements := []string{"DROP SCHEMA IF EXISTS " + ident(schema) + " CASCADE"}
		var exists bool
		if err := tx.QueryRow(ctx, "SELECT EXISTS (SELECT FROM pg_catalog.pg_roles WHERE rolname = $1)", schema).Scan(&exists); err != nil {
			return err
		}
		if exists {
			statements = append(statements, "DROP ROLE "+ident(schema))
		}
		return execAll(ctx, tx, statements)
	})
	if err != nil {
		return fmt.Errorf("remove schema %s: %w", schema, err)
	}
	return nil
}
