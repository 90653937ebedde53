package pg

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"hash/maphash"
	"io"

	"github.com/jackc/pgx/v5"
)

// pourBuffer is how much of a stream waits between two servers: enough that
// neither sleeps for each row.
const pourBuffer = 256 << 10

// pour streams the rows that a COPY gives into fn, and returns how many there
// were. When fn ends early the connection is closed: the rest would otherwise
// have to be read first.
func pour(ctx context.Context, from *pgx.Conn, sql string, fn func(rows *bufio.Reader) error) (int64, error) {
	out, in := io.Pipe()
	type end struct {
		rows int64
		err  error
	}
	ended := make(chan end, 1)
	go func() {
		w := bufio.NewWriterSize(in, pourBuffer)
		tag, err := from.PgConn().CopyTo(ctx, w, sql)
		if err == nil {
			err = w.Flush()
		}
		_ = in.CloseWithError(err) // never fails; without an error the reader sees the end
		ended <- end{tag.RowsAffected(), err}
	}()
	err := fn(bufio.NewReaderSize(out, pourBuffer))
	_ = out.CloseWithError(errPoured) // never fails
	e := <-ended
	if e.err != nil && !errors.Is(e.err, errPoured) {
		return 0, e.err
	}
	return e.rows, err
}

// errPoured is what the source of a stream hears when nobody reads any more.
var errPoured = errors.New("nobody reads any more")

// empty reports whether a stream has ended.
func empty(r *bufio.Reader) (bool, error) {
	_, err := r.Peek(1)
	if errors.Is(err, io.EOF) {
		return true, nil
	}
	return false, err
}

// portion reads whole rows of a stream, at least left bytes of them if there
// are as many, and then ends; what follows stays in the stream.
type portion struct {
	rows *bufio.Reader
	left int
	half bool // the last byte read was not the end of a row
}

func (p *portion) Read(b []byte) (int, error) {
	if p.left <= 0 && !p.half {
		return 0, io.EOF
	}
	if _, err := p.rows.Peek(1); err != nil {
		return 0, err
	}
	buffered, err := p.rows.Peek(min(len(b), p.rows.Buffered()))
	if err != nil {
		return 0, err
	}
	if p.left <= len(buffered) {
		from := max(p.left-1, 0)
		if i := bytes.IndexByte(buffered[from:], '\n'); i >= 0 {
			buffered = buffered[:from+i+1]
		}
	}
	n := copy(b, buffered)
	p.left, p.half = p.left-n, n > 0 && b[n-1] != '\n'
	_, err = p.rows.Discard(n)
	return n, err
}

// rowSum is a sum over rows in the text form of COPY that does not depend on
// their order. Two sums compare only when they have the same seed.
type rowSum struct {
	hash maphash.Hash
	Rows int64
	Sum  uint64
}

func newRowSum(seed maphash.Seed) *rowSum {
	s := &rowSum{}
	s.hash.SetSeed(seed)
	return s
}

// Write implements io.Writer. A row may come in pieces.
func (s *rowSum) Write(p []byte) (int, error) {
	rest := p
	for {
		row, after, whole := bytes.Cut(rest, []byte{'\n'})
		_, _ = s.hash.Write(row) // never fails
		if !whole {
			return len(p), nil
		}
		s.Rows, s.Sum, rest = s.Rows+1, s.Sum+s.hash.Sum64(), after
		s.hash.Reset()
	}
}

// same reports whether the rows are the same.
func (s *rowSum) same(other *rowSum) bool { return s.Rows == other.Rows && s.Sum == other.Sum }

// counted counts the bytes that go through.
type counted struct {
	io.Reader
	told func(n int)
}

func (c counted) Read(b []byte) (int, error) {
	n, err := c.Reader.Read(b)
	c.told(n)
	return n, err
}
