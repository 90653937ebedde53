package isolation

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/insulahq/insula/platform/pg"
	"github.com/insulahq/insula/platform/tenancy"
	"github.com/insulahq/insula/platform/uow"
)

// divisionByZero is PostgreSQL's code for it.
const divisionByZero = "22012"

// The rows that tell whose schema a statement ran in are idempotency keys
// whose caller is the tenant itself.
const (
	lookSQL    = `SELECT caller_id FROM idempotency_keys ORDER BY expires_at DESC LIMIT 5`
	glanceSQL  = `SELECT caller_id FROM idempotency_keys ORDER BY expires_at DESC LIMIT 1`
	misreadSQL = `SELECT caller_id FROM idempotency_keys WHERE 1 / $1::int = 1 LIMIT 1`
	markSQL    = `INSERT INTO idempotency_keys (caller_id, key, fingerprint, expires_at) VALUES ($1, $2, '', $3)`
	countSQL   = `SELECT count(*), count(*) FILTER (WHERE caller_id <> $1) FROM idempotency_keys`
	killSQL    = `SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity
		WHERE usename = current_user AND pid <> pg_backend_pid() AND application_name = 'insula' AND datname = current_database()`
)

func register(ctx context.Context, tx uow.Tx, t tenancy.Tenant) error {
	_, err := pg.DB(tx).Exec(ctx, `INSERT INTO control.tenants
		(id, slug, name, kind, status, schema_name, admin_email, version, created_at, updated_at)
		VALUES ($1, $2, $3, $4, $5, $6, 'nobody@example.com', 1, $7, $7)`,
		t.ID, t.Slug, t.Name, string(t.Kind), string(t.Status), t.Schema, time.Now().UTC())
	return err
}

func unregister(ctx context.Context, tx uow.Tx, t tenancy.Tenant) error {
	_, err := pg.DB(tx).Exec(ctx, `DELETE FROM control.tenants WHERE id = $1`, t.ID)
	return err
}

var errOnPurpose = errors.New("a request that fails on purpose")

func (t *tester) unit(who int) uow.Unit { return t.o.Pool.Tenant(t.tenants[who]) }

// look reads the newest rows; each must be the tenant's own.
func (t *tester) look(ctx context.Context, tx uow.Tx, who int) error {
	rows, err := pg.DB(tx).Query(ctx, lookSQL)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		var owner uuid.UUID
		if err := rows.Scan(&owner); err != nil {
			return err
		}
		if owner != t.tenants[who].ID {
			t.cross(who, owner)
		}
	}
	return rows.Err()
}

func (t *tester) mark(ctx context.Context, tx uow.Tx, who int) error {
	key, err := uuid.NewV7()
	if err != nil {
		return err
	}
	_, err = pg.DB(tx).Exec(ctx, markSQL, t.tenants[who].ID, key.String(), time.Now().UTC())
	return err
}

func (t *tester) read(ctx context.Context, who int) {
	t.note(t.unit(who).Read(ctx, func(tx uow.Tx) error { return t.look(ctx, tx, who) }))
}

// glance reads one row, in company of the others that wait.
func (t *tester) glance(ctx context.Context, who int) {
	var owner uuid.UUID
	err := t.unit(who).Read(ctx, func(tx uow.Tx) error {
		err := pg.DB(tx).QueryRow(ctx, glanceSQL).Scan(&owner)
		if errors.Is(err, pgx.ErrNoRows) { // the first of all
			owner = t.tenants[who].ID
			return nil
		}
		return err
	})
	if err == nil && owner != t.tenants[who].ID {
		t.cross(who, owner)
	}
	t.note(err)
}

// hurriedGlance runs out of time, on its way with others or while it waits for them.
func (t *tester) hurriedGlance(ctx context.Context, who int, after time.Duration) {
	ctx, cancel := context.WithTimeout(ctx, after)
	defer cancel()
	t.glance(ctx, who)
}

// misread reads one row with a statement that the server refuses; its company
// must not notice.
func (t *tester) misread(ctx context.Context, who int) {
	var owner uuid.UUID
	err := t.unit(who).Read(ctx, func(tx uow.Tx) error {
		return pg.DB(tx).QueryRow(ctx, misreadSQL, 0).Scan(&owner)
	})
	var refused *pgconn.PgError
	switch {
	case err == nil:
		t.cross(who, owner) // nobody has such a row
	case errors.As(err, &refused) && refused.Code == divisionByZero:
		err = errOnPurpose
	}
	t.note(err)
}

func (t *tester) write(ctx context.Context, who int) {
	err := t.unit(who).Write(ctx, func(tx uow.Tx) error {
		if err := t.mark(ctx, tx, who); err != nil {
			return err
		}
		return t.look(ctx, tx, who)
	})
	if err == nil {
		t.rows[who].Add(1)
	}
	t.note(err)
}

// fail rolls back.
func (t *tester) fail(ctx context.Context, who int) {
	t.note(t.unit(who).Write(ctx, func(tx uow.Tx) error {
		if err := errors.Join(t.mark(ctx, tx, who), t.look(ctx, tx, who)); err != nil {
			return err
		}
		return errOnPurpose
	}))
}

// mistake sends a statement that the server refuses.
func (t *tester) mistake(ctx context.Context, who int) {
	err := t.unit(who).Write(ctx, func(tx uow.Tx) error {
		if err := t.mark(ctx, tx, who); err != nil {
			return err
		}
		if _, err := pg.DB(tx).Exec(ctx, `SELECT 1/0`); err == nil {
			return errors.New("a division by zero passed")
		}
		return errOnPurpose
	})
	t.note(err)
}

func (t *tester) panic(ctx context.Context, who int) {
	defer func() {
		if recover() != nil {
			t.failed.Add(1)
		}
	}()
	t.note(t.unit(who).Write(ctx, func(tx uow.Tx) error {
		if err := t.mark(ctx, tx, who); err != nil {
			return err
		}
		panic(errOnPurpose)
	}))
}

// hurry runs out of time, somewhere.
func (t *tester) hurry(ctx context.Context, who int, after time.Duration) {
	ctx, cancel := context.WithTimeout(ctx, after)
	defer cancel()
	t.interrupted(ctx, who)
}

// hangUp is a client that goes away between two statements.
func (t *tester) hangUp(ctx context.Context, who int) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	err := t.unit(who).Write(ctx, func(tx uow.Tx) error {
		if err := t.mark(ctx, tx, who); err != nil {
			return err
		}
		cancel()
		return t.look(ctx, tx, who)
	})
	t.note(err)
}

func (t *tester) interrupted(ctx context.Context, who int) {
	err := t.unit(who).Write(ctx, func(tx uow.Tx) error {
		return errors.Join(t.mark(ctx, tx, who), t.look(ctx, tx, who))
	})
	if err == nil {
		t.rows[who].Add(1)
	}
	t.note(err)
}

// strangers asks without a tenant: no tenant's table may be there.
func (t *tester) strangers(ctx context.Context) {
	err := t.o.Pool.Control().Read(ctx, func(tx uow.Tx) error {
		rows, err := pg.DB(tx).Query(ctx, lookSQL)
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			t.cross(0, uuid.Nil)
		}
		return rows.Err()
	})
	if err == nil {
		t.cross(0, uuid.Nil)
	}
	t.failed.Add(1)
}

// kill ends the backends of the application under the feet of the others.
func (t *tester) kill(ctx context.Context) {
	t.note(t.o.Pool.Control().Read(ctx, func(tx uow.Tx) error {
		var killed int
		return pg.DB(tx).QueryRow(ctx, killSQL).Scan(&killed)
	}))
}

func (t *tester) note(err error) {
	switch {
	case err == nil:
	case errors.Is(err, errOnPurpose):
		t.failed.Add(1)
	default:
		t.broken.Add(1)
	}
}

// count checks at the end that each schema holds its own rows alone, and no
// fewer than were acknowledged. More is possible: a commit whose answer was
// lost has happened.
func (t *tester) count(ctx context.Context) error {
	for who := range t.tenants {
		var all, foreign int64
		count := func() error {
			return t.unit(who).Read(ctx, func(tx uow.Tx) error {
				return pg.DB(tx).QueryRow(ctx, countSQL, t.tenants[who].ID).Scan(&all, &foreign)
			})
		}
		err := count()
		if err != nil { // the connection may be one that was killed
			err = count()
		}
		if err != nil {
			return fmt.Errorf("count the rows: %w", err)
		}
		if foreign > 0 {
			t.cross(who, t.tenants[1-who].ID)
		}
		if acknowledged := t.rows[who].Load(); all < acknowledged {
			return fmt.Errorf("tenant %s has %d rows, but %d writes were acknowledged", t.tenants[who].ID, all, acknowledged)
		}
	}
	return nil
}
