package pg

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"github.com/insulahq/insula/platform/pg/catalog"
)

// Carrier takes the rows of a tenant's schema out of a database and into one:
// what copying a tenant is made of. It has a few connections of its own, so
// that hours of copying keep nobody waiting who makes or changes schemas.
type Carrier struct {
	m        *Migrator
	patience patience // of a swap

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
	return &Carrier{m: own, patience: swapPatience, declared: map[int64]string{}}, nil
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

// Remove removes a schema and its role, as Migrator.Drop does.
func (c *Carrier) Remove(ctx context.Context, schema string) error {
	return c.m.Drop(ctx, schema, nil)
}

// Ping asks whether the database answers.
func (c *Carrier) Ping(ctx context.Context) error { return c.m.pool.Ping(ctx) }
