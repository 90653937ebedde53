package infra_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"io"
	"net"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"github.com/insulahq/insula/modules/files/infra"
	"github.com/insulahq/insula/platform/errs"
)

// fakeClamd speaks INSTREAM as clamd does: it finds the word "virus", takes at
// most limit bytes, and answers one command for each connection.
func fakeClamd(t *testing.T, limit int, answer func(net.Conn, []byte)) string {
	t.Helper()
	l, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	t.Cleanup(func() { l.Close(); <-done })
	go func() {
		defer close(done)
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			content, err := receive(conn, limit)
			switch {
			case errors.Is(err, errTooMuch):
				_, _ = io.WriteString(conn, "INSTREAM size limit exceeded. ERROR\x00")
			case err == nil:
				answer(conn, content)
			}
			conn.Close()
		}
	}()
	return l.Addr().String()
}

var errTooMuch = errors.New("more than the limit")

func receive(r io.Reader, limit int) ([]byte, error) {
	command := make([]byte, len("zINSTREAM\x00"))
	if _, err := io.ReadFull(r, command); err != nil || string(command) != "zINSTREAM\x00" {
		return nil, errors.New("no INSTREAM")
	}
	var content bytes.Buffer
	for {
		var size uint32
		if err := binary.Read(r, binary.BigEndian, &size); err != nil {
			return nil, err
		}
		if size == 0 {
			return content.Bytes(), nil
		}
		if content.Len()+int(size) > limit {
			return nil, errTooMuch
		}
		if _, err := io.CopyN(&content, r, int64(size)); err != nil {
			return nil, err
		}
	}
}

func judge(conn net.Conn, content []byte) {
	answer := "stream: OK\x00"
	if bytes.Contains(content, []byte("virus")) {
		answer = "stream: Test-Signature FOUND\x00"
	}
	_, _ = io.WriteString(conn, answer)
}

// waitForEnd says nothing until the caller hangs up.
func waitForEnd(conn net.Conn, _ []byte) { _, _ = io.Copy(io.Discard, conn) }

func TestClamd(t *testing.T) {
	t.Parallel()
	c := infra.NewClamd(fakeClamd(t, 1<<20, judge), time.Minute)
	big := strings.Repeat("x", 300<<10)
	for _, tc := range []struct{ content, finding string }{
		{"", ""}, {"hello", ""}, {big, ""}, {"a virus", "Test-Signature"}, {big + "virus", "Test-Signature"},
		{strings.Repeat("x", 2<<20), "larger than the scanner takes"},
	} {
		if got, err := c.Scan(t.Context(), iotest.HalfReader(strings.NewReader(tc.content))); err != nil || got != tc.finding {
			t.Errorf("%d bytes: %q, %v, want %q", len(tc.content), got, err, tc.finding)
		}
	}
	broken := errors.New("the store broke off")
	if _, err := c.Scan(t.Context(), io.MultiReader(strings.NewReader("half"), iotest.ErrReader(broken))); !errors.Is(err, broken) {
		t.Errorf("broken content: %v", err)
	}
}

func TestClamdThatDoesNotHelp(t *testing.T) {
	t.Parallel()
	for name, addr := range map[string]string{
		"nobody listens":   "127.0.0.1:1",
		"hangs up":         fakeClamd(t, 100, func(net.Conn, []byte) {}),
		"answers nonsense": fakeClamd(t, 100, func(c net.Conn, _ []byte) { _, _ = io.WriteString(c, "what?\x00") }),
		"answers an error": fakeClamd(t, 100, func(c net.Conn, _ []byte) { _, _ = io.WriteString(c, "stream: engine broken ERROR\x00") }),
		"never stops":      fakeClamd(t, 100, func(c net.Conn, _ []byte) { _, _ = c.Write(bytes.Repeat([]byte("x"), 10_000)) }),
		"takes its time":   fakeClamd(t, 100, waitForEnd),
		"stops in a word":  fakeClamd(t, 100, func(c net.Conn, _ []byte) { _, _ = io.WriteString(c, "stream: O") }),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			finding, err := infra.NewClamd(addr, 300*time.Millisecond).Scan(t.Context(), strings.NewReader("hello"))
			if !errors.Is(err, errs.ErrUnavailable) || finding != "" {
				t.Errorf("%q, %v", finding, err)
			}
		})
	}
}

func TestClamdEndsWithItsCaller(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	addr := fakeClamd(t, 100, func(conn net.Conn, content []byte) {
		cancel()
		waitForEnd(conn, content)
	})
	if _, err := infra.NewClamd(addr, time.Hour).Scan(ctx, strings.NewReader("hello")); !errors.Is(err, context.Canceled) {
		t.Errorf("error = %v", err)
	}
}
