package pg

import (
	"context"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/insulahq/insula/platform/pg/internal/pgdb"
)

// Spare is a schema that was made ahead of time, for a tenant that is still to
// come. The stock of them is in the main placement.
type Spare struct {
	Schema  string
	Version int64
	State   SpareState

	migrations string // the hash of those that it has had
	ownRole    bool
}

// SpareState is where a spare schema is in its life.
type SpareState string

// A spare begins bare and becomes ready. From there a tenant gets it, unless a
// newer version of the schema comes first.
const (
	SpareBare     SpareState = "bare"     // its tables are there, its role and rights are still to come
	SpareReady    SpareState = "ready"    // complete
	SpareChanging SpareState = "changing" // being brought to a newer version
	SpareLeaving  SpareState = "leaving"  // being dropped
)

// Spares lists the stock.
func (m *Migrator) Spares(ctx context.Context) ([]Spare, error) {
	rows, err := pgdb.New().Spares(ctx, m.pool)
	if err != nil {
		return nil, fmt.Errorf("stock of spare schemas: %w", err)
	}
	all := make([]Spare, len(rows))
	for i, r := range rows {
		all[i] = Spare{Schema: r.SchemaName, Version: r.SchemaVersion, State: SpareState(r.State), migrations: r.Migrations, ownRole: r.OwnRole}
	}
	return all, nil
}

func (m *Migrator) ownRole() bool { return m.roles == RolePerTenant }

// like reports whether a spare is as this migrator makes schemas.
func (m *Migrator) like(s Spare) bool {
	return s.migrations == m.tenant.Hash() && s.ownRole == m.ownRole()
}

// stale reports whether a spare, none of a newer version, can become a
// tenant's only after it has been changed, or never.
func (m *Migrator) stale(s Spare) bool {
	return !m.like(s) || s.State == SpareChanging || s.State == SpareLeaving
}

// upgradable reports whether bringing a spare to this version is worth a try:
// it has its role and rights, and an older version.
func (m *Migrator) upgradable(s Spare) bool {
	return (s.State == SpareReady || s.State == SpareChanging) && s.ownRole == m.ownRole() && s.Version < m.TenantVersion()
}

// usable counts the spares that can be taken, and those that lack role and
// rights alone.
func (m *Migrator) usable(all []Spare) (ready, bare int) {
	for _, s := range all {
		switch {
		case !m.like(s):
		case s.State == SpareReady:
			ready++
		case s.State == SpareBare:
			bare++
		}
	}
	return ready, bare
}

// coming counts the spares that the next Restock will bring up, because this
// one was kept from it.
func (m *Migrator) coming(all []Spare) (n int) {
	for _, s := range all {
		if m.upgradable(s) {
			n++
		}
	}
	return n
}

// take takes a ready schema out of the stock, for the tenant that the registry
// has with another; it returns "" when there is none. The stock gets it back
// when the transaction ends without a commit.
func (m *Migrator) take(ctx context.Context, tx pgx.Tx, instead string) (string, error) {
	q := pgdb.New()
	spare, err := q.TakeSpare(ctx, tx, m.tenant.Hash(), m.ownRole())
	if errors.Is(err, pgx.ErrNoRows) {
		return "", nil
	}
	if err != nil {
		return "", fmt.Errorf("take a spare schema: %w", err)
	}
	n, err := q.SettleIn(ctx, tx, spare, m.TenantVersion(), instead)
	if err == nil && n != 1 {
		err = fmt.Errorf("%d tenants are registered with the schema %s", n, instead)
	}
	return spare, err
}

// spoilt reports that a statement met other tables, rights or rows than it
// should in a schema.
func spoilt(err error) bool {
	var pe *pgconn.PgError
	if !errors.As(err, &pe) {
		return false
	}
	class := pe.Code[:2]
	return class == "42" || class == "3F" || class == "23" // a name or a right, a schema, a constraint
}
