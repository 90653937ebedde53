package e2e_test

import (
	"context"
	"net"
	"sync"
	"testing"
)

// relay is a wire to a part that a test can cut.
type relay struct {
	addr, target string

	mu       sync.Mutex
	listener net.Listener
	open     map[net.Conn]bool
	stalled  bool
	// budget is how many more bytes may pass towards the part, after which the
	// wire is cut; negative for any number.
	budget int64
	passed int64 // bytes that the part has answered since the wire was laid or mended
	// toll, when set, is asked before anything passes: whose connection it is
	// on, and whether towards the part. What it holds back never passes. Set it
	// before anybody connects.
	toll func(on net.Conn, towards bool, data []byte) bool
}

// newRelay lays a wire to an address.
func newRelay(t *testing.T, target string) *relay {
	t.Helper()
	r := &relay{addr: "127.0.0.1:" + must(freePorts(1))(t)[0], target: target, open: map[net.Conn]bool{}, budget: -1}
	r.mend(t)
	t.Cleanup(r.cut)
	return r
}

// mend lets everything pass again.
func (r *relay) mend(t *testing.T) {
	t.Helper()
	r.cut()
	l, err := new(net.ListenConfig).Listen(t.Context(), "tcp", r.addr)
	if err != nil {
		t.Fatal(err)
	}
	r.mu.Lock()
	r.listener, r.stalled, r.budget, r.passed = l, false, -1, 0
	r.mu.Unlock()
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return // cut
			}
			go r.carry(c)
		}
	}()
}

// cut closes all connections and refuses new ones, as a part does that is gone.
func (r *relay) cut() {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.listener != nil {
		r.listener.Close()
		r.listener = nil
	}
	for c := range r.open {
		c.Close()
	}
	clear(r.open)
}

// stall keeps connections and takes new ones, but nothing passes, as with a
// part that hangs.
func (r *relay) stall() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.stalled = true
}

// cutAfter cuts the wire once so many more bytes have passed.
func (r *relay) cutAfter(bytes int64) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.budget = bytes
}

func (r *relay) carry(c net.Conn) {
	part, err := new(net.Dialer).DialContext(context.Background(), "tcp", r.target)
	if err != nil {
		c.Close()
		return
	}
	r.mu.Lock()
	cut := r.listener == nil
	r.open[c], r.open[part] = true, true
	r.mu.Unlock()
	if cut { // since this connection was taken
		r.cut()
		return
	}
	go r.pour(c, part, c, false)
	r.pour(part, c, c, true)
}

// pour copies one direction of a connection; counted is the one towards the
// part.
func (r *relay) pour(to, from, on net.Conn, counted bool) {
	defer to.Close()
	buffer := make([]byte, 16<<10)
	for {
		n, err := from.Read(buffer)
		if err != nil {
			return
		}
		if !r.passes(n, counted) || r.toll != nil && !r.toll(on, counted, buffer[:n]) {
			continue // a hanging part's host still takes what is sent
		}
		if _, err := to.Write(buffer[:n]); err != nil {
			return
		}
	}
}

func (r *relay) passes(n int, counted bool) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if counted && r.budget >= 0 {
		if r.budget -= int64(n); r.budget < 0 {
			r.budget = 0
			go r.cut()
			return false
		}
	}
	if !counted && !r.stalled {
		r.passed += int64(n)
	}
	return !r.stalled
}

// used reports whether the part has answered anybody since the wire was laid or
// mended.
func (r *relay) used() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.passed > 0
}
