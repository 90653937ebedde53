package migrate

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
)

// ControlHistory is the schema that keeps the history of the control scope. It is not the control schema
// itself, because the first control migration is the one that creates that.
const ControlHistory = "atlas_control"

// lockTimeout bounds how long one statement of a migration may wait for a lock on a table: everybody who comes
// after it queues behind it.
const lockTimeout = "SET LOCAL lock_timeout = '5s'"

// Apply brings a tenant's schema, which must exist, to the newest version within the caller's transaction and
// returns the versions it applied, none when the schema was up to date. On an error the caller must roll back;
// then nothing is left of the attempt. Errors of the history wrap ErrEdited, ErrNewer, ErrDiverged or
// ErrPartial.
//
// A file that asks to run outside a transaction runs inside it all the same, with its indexes built at once: Apply
// is for schemas that nobody uses yet. For the others there is Upgrade.
//
// It waits for any other Apply on the same schema, so the transaction should be READ COMMITTED: an older
// snapshot would not see what the other one did. Afterwards the transaction is still set to the schema
// (search_path) and to a lock timeout of five seconds.
func (d *Dir) Apply(ctx context.Context, tx pgx.Tx, schema string) ([]string, error) {
	r := run{dir: d, tx: tx, history: revisionsIn(schema), searchPath: pgx.Identifier{schema}.Sanitize()}
	applied, err := r.do(ctx, schema)
	if err != nil {
		return nil, fmt.Errorf("migrate schema %s: %w", schema, err)
	}
	return applied, nil
}

// ApplyControl brings the control scope to its newest version in one transaction of its own. Its files qualify
// every name and create the schema they need; a name without a schema is an error.
func (d *Dir) ApplyControl(ctx context.Context, conn *pgx.Conn) ([]string, error) {
	var applied []string
	err := pgx.BeginTxFunc(ctx, conn, pgx.TxOptions{IsoLevel: pgx.ReadCommitted}, func(tx pgx.Tx) error {
		r := run{dir: d, tx: tx, history: revisionsIn(ControlHistory), ownSchema: true}
		var err error
		applied, err = r.do(ctx, ControlHistory)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("migrate the control scope: %w", err)
	}
	return applied, nil
}

// run is one pass over one schema.
type run struct {
	dir        *Dir
	tx         pgx.Tx
	history    revisions
	searchPath string // empty: the files must qualify every name
	ownSchema  bool   // the schema of the history belongs to the history alone
}

func (r run) do(ctx context.Context, lock string) ([]string, error) {
	start, pending, err := r.begin(ctx, lock)
	if err != nil {
		return nil, err
	}
	return versions(pending), r.files(ctx, pending, start)
}

// begin prepares the transaction and returns the time of the database and the migrations that are missing.
func (r run) begin(ctx context.Context, lock string) (time.Time, []file, error) {
	start, err := r.prepare(ctx, lock)
	if err != nil {
		return start, nil, err
	}
	recorded, err := r.history.read(ctx, r.tx)
	if err != nil {
		return start, nil, err
	}
	pending, err := r.dir.pending(recorded)
	return start, pending, err
}

// files runs and records migrations.
func (r run) files(ctx context.Context, pending []file, start time.Time) error {
	for _, f := range pending {
		if err := r.file(ctx, f); err != nil {
			return err
		}
		var err error
		if start, err = r.history.insert(ctx, r.tx, f, start); err != nil {
			return err
		}
	}
	return nil
}

// prepare takes the lock, sets the transaction up, sees to it that there is a history, and returns the time of
// the database. The lock has a statement to itself: the ones after it then see what its last holder committed.
func (r run) prepare(ctx context.Context, lock string) (time.Time, error) {
	var now time.Time
	if err := take(ctx, r.tx, "SELECT pg_try_advisory_xact_lock($1)", lock); err != nil {
		return now, err
	}
	if _, err := r.tx.Exec(ctx, lockTimeout); err != nil {
		return now, fmt.Errorf("set the lock timeout: %w", err)
	}
	set := r.tx.QueryRow(ctx, "SELECT clock_timestamp() FROM set_config('search_path', $1, true)", r.searchPath)
	if err := set.Scan(&now); err != nil {
		return now, fmt.Errorf("set the search path: %w", err)
	}
	found, err := r.history.exists(ctx, r.tx)
	if err != nil || found {
		return now, err
	}
	if r.ownSchema {
		if _, err := r.tx.Exec(ctx, "CREATE SCHEMA IF NOT EXISTS "+ControlHistory); err != nil {
			return now, fmt.Errorf("create the schema of the history: %w", err)
		}
	}
	return now, r.history.create(ctx, r.tx)
}

// file runs the statements of one migration.
func (r run) file(ctx context.Context, f file) error {
	statements := make([]string, len(f.stmts))
	for i, s := range f.stmts {
		statements[i] = withinTransaction(s.Text)
	}
	if failed, err := Exec(ctx, r.tx, statements); err != nil {
		return fmt.Errorf("%s, line %d: %w", f.name, f.line(f.stmts[failed]), err)
	}
	return nil
}

// lockPause is how long to wait before asking for a lock again.
const lockPause = 50 * time.Millisecond

// take asks for the lock of a schema until it is free. It does not wait inside PostgreSQL: a waiting statement
// holds a snapshot, and CREATE INDEX CONCURRENTLY, whose session has the lock, waits for all older snapshots.
func take(ctx context.Context, q Querier, try, schema string) error {
	pause := time.NewTicker(lockPause)
	defer pause.Stop()
	for {
		var got bool
		if err := q.QueryRow(ctx, try, lockKey(schema)).Scan(&got); err != nil {
			return fmt.Errorf("lock against another migration: %w", err)
		}
		if got {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("wait for another migration: %w", ctx.Err())
		case <-pause.C:
		}
	}
}

// lockKey maps a schema to the key of its advisory lock. Two schemas with one key would only wait for each
// other.
func lockKey(schema string) int64 {
	sum := sha256.Sum256([]byte("insula migrate " + schema))
	return int64(binary.BigEndian.Uint64(sum[:8])) // any 64 bits are a key, the sign too
}
