package pg

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"hash/maphash"
	"slices"

	"github.com/jackc/pgx/v5"
)

// ErrFillDiffers says that a table has other rows than those that were sent.
var ErrFillDiffers = errors.New("the table has other rows than were sent there")

// Filling is a table of a prepared schema while its rows come in. It keeps a sum
// over what it has sent, whatever the order, to hold the table against.
type Filling struct {
	carrier *Carrier
	schema  string
	table   Table
	columns []string
	seed    maphash.Seed
	sent    *rowSum
}

// Fill begins to fill a table of a schema with values of these columns.
func (c *Carrier) Fill(schema string, t Table, columns []string) *Filling {
	seed := maphash.MakeSeed()
	return &Filling{carrier: c, schema: schema, table: t, columns: columns, seed: seed, sent: newRowSum(seed)}
}

// Add adds whole rows, in the text form of COPY, in a transaction of their own:
// one for all would keep every audit trail of the server from being sealed for
// as long as it takes.
func (f *Filling) Add(ctx context.Context, rows []byte) error {
	if i := slices.Index(f.columns, f.table.transaction); i >= 0 {
		rows = withField(rows, i, first)
	}
	if i := slices.Index(f.columns, f.table.server); i >= 0 {
		rows = withField(rows, i, noServer)
	}
	conn, err := f.carrier.m.pool.Acquire(ctx)
	if err != nil {
		return err
	}
	defer conn.Release()
	before := f.sent.Rows
	_, _ = f.sent.Write(rows) // never fails
	tag, err := conn.Conn().PgConn().CopyFrom(ctx, bytes.NewReader(rows), into(f.name(), f.columns))
	if err != nil {
		return fmt.Errorf("fill table %s: %w", f.table.Name, err)
	}
	if want := f.sent.Rows - before; tag.RowsAffected() != want {
		return fmt.Errorf("fill table %s: %d rows instead of %d", f.table.Name, tag.RowsAffected(), want)
	}
	return nil
}

func (f *Filling) name() string { return pgx.Identifier{f.schema, f.table.Name}.Sanitize() }

// Verify reads the table and returns ErrFillDiffers unless it has the rows that
// were sent, each as often, and no others.
func (f *Filling) Verify(ctx context.Context) error {
	conn, err := f.carrier.m.pool.Acquire(ctx)
	if err != nil {
		return err
	}
	defer conn.Release()
	there := newRowSum(f.seed)
	w := bufio.NewWriterSize(there, pourBuffer)
	if _, err := conn.Conn().PgConn().CopyTo(ctx, w, outOf(f.name(), f.columns)); err != nil {
		return fmt.Errorf("read table %s: %w", f.table.Name, err)
	}
	if err := w.Flush(); err != nil {
		return err
	}
	if !there.same(f.sent) {
		return fmt.Errorf("%w: table %s has %d, it was sent %d", ErrFillDiffers, f.table.Name, there.Rows, f.sent.Rows)
	}
	return nil
}

// first stands for a transaction of another server, or of another tenant's
// past: one that was over before all that this server has.
const first = "1"

// noServer stands for the server on which a transaction counted: none that a
// row can come to, so that nothing is taken for one of its transactions, also
// when the row comes back to where it was.
const noServer = ""

// withField puts a value in the place of one field of each row.
func withField(rows []byte, field int, value string) []byte {
	out := make([]byte, 0, len(rows))
	for line := range bytes.Lines(rows) {
		fields := bytes.Split(bytes.TrimSuffix(line, []byte{'\n'}), []byte{'\t'})
		if field < len(fields) {
			fields[field] = []byte(value)
		}
		out = append(append(out, bytes.Join(fields, []byte{'\t'})...), '\n')
	}
	return out
}

// outOf is the COPY that gives columns out of a table.
func outOf(table string, columns []string) string {
	return fmt.Sprintf("COPY %s (%s) TO STDOUT", table, quoted(columns))
}
