package pgserver

import (
	"errors"
	"fmt"
	"net"
	"strconv"
)

// portTries bounds the search for a free port.
const portTries = 100

// freePort returns port if nobody listens on it, else the next free one. Zero
// lets the system choose. The port can be taken before it is used; whoever
// binds it must be ready to ask again.
func freePort(port int) (int, error) {
	for i := range portTries {
		want := port
		if port != 0 {
			want = port + i
		}
		l, err := net.Listen("tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(want)))
		if err != nil {
			continue
		}
		got := l.Addr().(*net.TCPAddr).Port
		if err := l.Close(); err != nil {
			return 0, fmt.Errorf("release port %d: %w", got, err)
		}
		return got, nil
	}
	if port == 0 {
		return 0, errors.New("no free port on 127.0.0.1")
	}
	return 0, fmt.Errorf("no free port from %d to %d on 127.0.0.1", port, port+portTries-1)
}
