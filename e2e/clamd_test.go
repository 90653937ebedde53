package e2e_test

import (
	words "encoding/binary"
	"io"
	"net"
	"strings"
	"testing"
)

// clamd speaks INSTREAM as the scanner of that name does, and returns its
// address. What it says of a content is up to judge, who may take their time.
func clamd(t *testing.T, judge func(content string) string) string {
	t.Helper()
	l, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				defer conn.Close()
				if content, err := scanned(conn); err == nil {
					_, _ = io.WriteString(conn, "stream: "+judge(content)+"\x00") // who asked may be dead
				}
			}()
		}
	}()
	return l.Addr().String()
}

// scanned reads what clamd is to look at.
func scanned(conn net.Conn) (string, error) {
	if _, err := io.CopyN(io.Discard, conn, int64(len("zINSTREAM\x00"))); err != nil {
		return "", err
	}
	var content strings.Builder
	for {
		var size uint32
		if err := words.Read(conn, words.BigEndian, &size); err != nil || size == 0 {
			return content.String(), err
		}
		if _, err := io.CopyN(&content, conn, int64(size)); err != nil {
			return "", err
		}
	}
}
