package httpx

import (
	"errors"
	"io"
	"net"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humaecho"

	"github.com/insulahq/insula/platform/errs"
)

// Errors of a body on its way in.
var (
	ErrStalled     = errs.New(errs.Malformed, "upload_stalled", "The body stopped arriving.")
	ErrInterrupted = errs.New(errs.Malformed, "upload_interrupted", "The connection broke before the body had arrived.")
)

// Upload is embedded in the input of a route that PutContent registers. It
// holds nothing: the body is read from the connection as the handler asks for
// it, and a client that waits for "100 Continue" sends nothing before.
type Upload struct {
	body        io.Reader
	length      int64
	contentType string
}

type uploading interface{ Reader() io.Reader }

// Reader streams the body, once. Reading fails with errs.ErrTooLarge past the
// limit of the route, with ErrStalled when the client stands still for a
// minute, and with ErrInterrupted when it is gone.
func (u *Upload) Reader() io.Reader { return u.body }

// Length is the length of the body in bytes as the client announced it, -1
// when it did not.
func (u *Upload) Length() int64 { return u.length }

// ContentType is the Content-Type header, as the client sent it.
func (u *Upload) ContentType() string { return u.contentType }

// Resolve implements huma.Resolver: it takes the body over, and refuses one
// that announces more than the route allows.
func (u *Upload) Resolve(hc huma.Context) []error {
	limit := hc.Operation().MaxBodyBytes
	u.length = humaecho.Unwrap(hc).Request().ContentLength
	if u.length > limit {
		return []error{errs.ErrTooLarge}
	}
	u.contentType = hc.Header("Content-Type")
	u.body = &incoming{from: hc.BodyReader(), left: limit, idle: readDeadline(hc)}
	return nil
}

// incoming reads a body within its limit of bytes. The limit of time moves on
// with every read and ends with the body: left behind, it would cut off the
// request while its handler still works.
type incoming struct {
	from io.Reader
	left int64
	idle deadline
}

func (r *incoming) Read(p []byte) (int, error) {
	if int64(len(p)) > r.left+1 { // one more byte than allowed tells too large from just full
		p = p[:r.left+1]
	}
	r.idle.extend()
	n, err := r.from.Read(p)
	r.left -= int64(n)
	if r.left < 0 {
		r.idle.clear()
		return 0, errs.ErrTooLarge
	}
	if err != nil {
		r.idle.clear()
	}
	return n, explainRead(err)
}

func explainRead(err error) error {
	var ne net.Error
	switch {
	case err == nil, errors.Is(err, io.EOF):
		return err
	case errors.As(err, &ne) && ne.Timeout():
		return ErrStalled.Because(err)
	}
	return ErrInterrupted.Because(err)
}
