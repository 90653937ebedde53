package httpx

import (
	"errors"
	"io"
	"net/http"
	"time"
)

const (
	// patience is how long a client gets to send the whole body of an ordinary
	// request, and again to take its answer. Transfers and streams have no such
	// end: there it is enough to keep moving (transferIdle).
	patience = 20 * time.Second
	// headerPatience is how long it gets for the header.
	headerPatience = 10 * time.Second
	// idlePatience is how long a connection is kept that asks for nothing.
	idlePatience = 2 * time.Minute
	// maxHeader bounds the header of a request in bytes: some tokens long.
	maxHeader = 64 << 10
)

// limitClient keeps a client from holding a connection and what serves it: one
// that announces a body and does not send it, also to an address where nobody
// would read it, and one that does not take its answer. handling is the time
// that the house itself may take.
func limitClient(w http.ResponseWriter, r *http.Request, handling, patience time.Duration) *http.Request {
	c := http.NewResponseController(w)
	now := time.Now()
	// Where there are no deadlines, as in some tests, only the protection is lost.
	_ = c.SetWriteDeadline(now.Add(handling + 2*patience))
	if r.Body == nil || r.Body == http.NoBody {
		return r
	}
	_ = c.SetReadDeadline(now.Add(patience))
	limited := *r
	limited.Body = &arriving{ReadCloser: r.Body, deadline: c.SetReadDeadline}
	return &limited
}

// arriving is a body on its way. Once it is there its deadline is taken away:
// left behind, it would end the request's context while the handler works,
// because the server then listens for the client to go.
type arriving struct {
	io.ReadCloser
	deadline deadline
}

// Read implements io.Reader.
func (a *arriving) Read(p []byte) (int, error) {
	n, err := a.ReadCloser.Read(p)
	if errors.Is(err, io.EOF) {
		a.deadline.clear()
	}
	return n, err
}
