package main

import (
	"bufio"
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"time"
)

// answerLimit bounds the wait for one answer.
const answerLimit = 30 * time.Second

// connection speaks HTTP/1.1 over one kept-alive connection, one request at a
// time. It does less than http.Client does, because on a small machine the
// client takes its time from what it measures.
type connection struct {
	addr  string
	token string
	conn  net.Conn
	in    *bufio.Reader
	out   []byte
}

func dial(ctx context.Context, addr, token string) (*connection, error) {
	conn, err := new(net.Dialer).DialContext(ctx, "tcp", addr)
	if err != nil {
		return nil, err
	}
	return &connection{addr: addr, token: token, conn: conn, in: bufio.NewReaderSize(conn, 32<<10)}, nil
}

func (c *connection) close() { _ = c.conn.Close() } // nothing is on its way

// request is one call of the API.
type request struct {
	tenant       string // slug; that of the measured tenant when empty
	method, path string
	body         []byte
	want         int // the status
}

// do sends a request and reads the answer to its end. Its body goes to out
// unless out is nil.
func (c *connection) do(r request, out *bytes.Buffer) error {
	if err := c.conn.SetDeadline(time.Now().Add(answerLimit)); err != nil {
		return err
	}
	if _, err := c.conn.Write(c.render(r)); err != nil {
		return fmt.Errorf("%s %s: %w", r.method, r.path, err)
	}
	answer, err := http.ReadResponse(c.in, nil)
	if err != nil {
		return fmt.Errorf("%s %s: %w", r.method, r.path, err)
	}
	defer answer.Body.Close()
	if answer.StatusCode != r.want {
		text, _ := io.ReadAll(io.LimitReader(answer.Body, 1<<10)) // as much as there is
		return fmt.Errorf("%s %s answered %s: %s", r.method, r.path, answer.Status, text)
	}
	sink := io.Discard
	if out != nil {
		sink = out
	}
	if _, err := io.Copy(sink, answer.Body); err != nil {
		return fmt.Errorf("%s %s: %w", r.method, r.path, err)
	}
	return nil
}

// render writes the request into the connection's buffer.
func (c *connection) render(r request) []byte {
	b := c.out[:0]
	b = append(b, r.method...)
	b = append(b, ' ')
	b = append(b, r.path...)
	b = append(b, " HTTP/1.1\r\nHost: "...)
	b = append(b, c.addr...)
	b = append(b, "\r\nUser-Agent: insula-bench\r\nX-Tenant: "+cmp.Or(r.tenant, slug)...)
	if c.token != "" {
		b = append(b, "\r\nAuthorization: Bearer "...)
		b = append(b, c.token...)
	}
	if r.body != nil {
		b = append(b, "\r\nContent-Type: application/json"...)
		b = fmt.Appendf(b, "\r\nContent-Length: %d", len(r.body))
	}
	b = append(b, "\r\n\r\n"...)
	c.out = append(b, r.body...)
	return c.out
}

// ask sends one request on a connection of its own and reads its JSON answer.
func ask(ctx context.Context, addr string, r request, out any) error {
	c, err := dial(ctx, addr, "")
	if err != nil {
		return err
	}
	defer c.close()
	var text bytes.Buffer
	if err := c.do(r, &text); err != nil {
		return err
	}
	if err := json.Unmarshal(text.Bytes(), out); err != nil {
		return fmt.Errorf("%s %s: read the answer: %w", r.method, r.path, err)
	}
	return nil
}
