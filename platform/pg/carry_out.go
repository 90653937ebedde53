package pg

import (
	"context"
	"fmt"
	"io"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/insulahq/insula/platform/pg/catalog"
	"github.com/insulahq/insula/platform/uow"
)

// Snapshot is a tenant's schema at one instant.
type Snapshot struct {
	At          time.Time
	Version     int64
	Fingerprint string
	Tables      []Table // in an order in which they can go in
	Bytes       int64   // about what their rows take

	tx     pgx.Tx
	schema string
}

// Out shows fn a schema as it is at one instant, however long fn takes and
// whatever is written meanwhile; tx reads at the same instant. Nobody waits
// for it, but the server keeps what is deleted in the database until it ends.
// ErrDrift refuses a schema that could not go in anywhere again.
func (c *Carrier) Out(ctx context.Context, schema string, fn func(s *Snapshot, tx uow.Tx) error) error {
	options := pgx.TxOptions{IsoLevel: pgx.RepeatableRead, AccessMode: pgx.ReadOnly}
	return pgx.BeginTxFunc(ctx, c.m.pool, options, func(tx pgx.Tx) error {
		if _, err := tx.Exec(ctx, "SET LOCAL idle_in_transaction_session_timeout = 0"); err != nil {
			return err
		}
		s := &Snapshot{tx: tx, schema: schema}
		if err := c.look(ctx, s); err != nil {
			return fmt.Errorf("snapshot of schema %s: %w", schema, err)
		}
		if err := setSearchPath(ctx, tx, schema); err != nil {
			return err
		}
		return fn(s, &ownerTx{tx: tx})
	})
}

func (c *Carrier) look(ctx context.Context, s *Snapshot) error {
	if err := s.tx.QueryRow(ctx, "SELECT now()").Scan(&s.At); err != nil {
		return err
	}
	s.At = s.At.UTC()
	objects, err := catalog.Read(ctx, s.tx, s.schema)
	if err != nil {
		return err
	}
	s.Fingerprint = objects.Fingerprint()
	status, err := c.m.tenant.Status(ctx, s.tx, s.schema)
	if err != nil {
		return err
	}
	if s.Version, err = number(status.Current); err != nil {
		return err
	}
	declared, err := c.Fingerprint(ctx, s.Version)
	if err != nil {
		return err
	}
	if declared != s.Fingerprint {
		return ErrDrift
	}
	all, err := tablesIn(ctx, s.tx, s.schema)
	s.Tables = kept(all)
	for _, t := range s.Tables {
		s.Bytes += t.bytes
	}
	return err
}

// Copy writes the rows of one of the tables, in the text form of COPY.
func (s *Snapshot) Copy(ctx context.Context, t Table, w io.Writer) error {
	name := pgx.Identifier{s.schema, t.Name}.Sanitize()
	if _, err := s.tx.Conn().PgConn().CopyTo(ctx, w, outOf(name, t.Columns)); err != nil {
		return fmt.Errorf("copy table %s: %w", t.Name, err)
	}
	return nil
}
