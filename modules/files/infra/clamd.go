package infra

import (
	"bufio"
	"cmp"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/insulahq/insula/platform/errs"
)

// Clamd implements domain.Scanner by a clamd, over TCP: a session is the
// command INSTREAM, chunks that each begin with their length, an empty chunk,
// and one line of answer.
type Clamd struct {
	addr    string
	timeout time.Duration
	dialer  net.Dialer
}

const (
	clamdChunk = 64 << 10
	clamdDial  = 5 * time.Second
	clamdLine  = 4096 // bytes of an answer that are read
)

// NewClamd makes a scanner of the clamd at an address. One content may take
// as long as timeout.
func NewClamd(addr string, timeout time.Duration) *Clamd {
	return &Clamd{addr: addr, timeout: timeout, dialer: net.Dialer{Timeout: clamdDial}}
}

// tooLarge is what is found of content that clamd is not set up to read: what
// nobody has looked at is not let in.
const tooLarge = "larger than the scanner takes"

// unnamed is what is found when clamd has no name for it.
const unnamed = "without a name"

// Scan implements domain.Scanner.
func (c *Clamd) Scan(ctx context.Context, r io.Reader) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, c.timeout)
	defer cancel()
	conn, err := c.dialer.DialContext(ctx, "tcp", c.addr)
	if err != nil {
		return "", away(err)
	}
	defer func() { _ = conn.Close() }() // the answer was read, or does not matter
	unhook := context.AfterFunc(ctx, func() { _ = conn.Close() })
	defer unhook()
	sent := stream(conn, r)
	var source *sourceError
	if errors.As(sent, &source) {
		return "", source.err
	}
	// clamd may answer, and hang up, before it was told everything.
	answer, err := listen(conn)
	if err != nil {
		return "", away(errors.Join(err, sent, ctx.Err()))
	}
	return verdict(answer)
}

// listen reads an answer: a line that ends with a zero byte.
func listen(r io.Reader) (string, error) {
	line, err := bufio.NewReader(io.LimitReader(r, clamdLine)).ReadString(0)
	return strings.TrimRight(line, "\x00\n"), err
}

func away(err error) error { return errs.ErrUnavailable.Because(fmt.Errorf("clamd: %w", err)) }

// verdict reads the answer: "stream: OK", "stream: Eicar-Test-Signature FOUND"
// or "... ERROR".
func verdict(answer string) (string, error) {
	text := strings.TrimPrefix(answer, "stream: ")
	if name, found := strings.CutSuffix(text, " FOUND"); found {
		return cmp.Or(printable(name), unnamed), nil
	}
	switch {
	case text == "OK":
		return "", nil
	case strings.Contains(text, "size limit exceeded"):
		return tooLarge, nil
	}
	return "", away(fmt.Errorf("it answers %q", answer))
}

// printable leaves out of a name what no text can keep, or no line.
func printable(name string) string {
	return strings.TrimSpace(strings.Map(func(r rune) rune {
		if r == utf8.RuneError || unicode.IsControl(r) {
			return -1
		}
		return r
	}, name))
}

// sourceError is what went wrong with the content, and not with clamd.
type sourceError struct{ err error }

func (e *sourceError) Error() string { return e.err.Error() }

// stream sends the command and the content.
func stream(w io.Writer, r io.Reader) error {
	if _, err := io.WriteString(w, "zINSTREAM\x00"); err != nil {
		return err
	}
	chunk := make([]byte, 4+clamdChunk)
	for {
		n, err := io.ReadFull(r, chunk[4:])
		last := errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF)
		if err != nil && !last {
			return &sourceError{err}
		}
		binary.BigEndian.PutUint32(chunk, uint32(n))
		if n > 0 {
			if _, err := w.Write(chunk[:4+n]); err != nil {
				return err
			}
		}
		if last {
			_, err := w.Write([]byte{0, 0, 0, 0})
			return err
		}
	}
}
