package httpx

import (
	"bytes"
	"crypto/sha256"
	"io"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/insulahq/insula/platform/errs"
	"github.com/insulahq/insula/platform/op"
	"github.com/insulahq/insula/platform/scope"
)

// maxKey bounds the Idempotency-Key.
const maxKey = 200

// again prepares a POST that carries an Idempotency-Key: the request is named
// by the key and known by a fingerprint of what it asks for. Public
// operations answer with secrets and are not kept.
func (s *Server) again(hc huma.Context, d op.Def, req *scope.Request) (huma.Context, error) {
	key := hc.Header("Idempotency-Key")
	if key == "" || hc.Method() != "POST" || !d.Writes || d.Guard == op.ByNobody {
		return hc, nil
	}
	if len(key) > maxKey {
		return hc, errs.ErrInvalid.At("header.Idempotency-Key", "must have at most 200 characters")
	}
	body, err := io.ReadAll(io.LimitReader(hc.BodyReader(), s.router.maxBody+1))
	if err != nil {
		return hc, explainRead(err)
	}
	if int64(len(body)) > s.router.maxBody {
		return hc, errs.ErrTooLarge
	}
	h := sha256.New()
	url := hc.URL()
	for _, part := range [][]byte{[]byte(d.Name), []byte(url.Path), body} {
		sum := sha256.Sum256(part) // hashed apart, so that no two lists of parts look alike
		h.Write(sum[:])
	}
	req.Retry = &scope.Retry{Key: key, Fingerprint: h.Sum(nil)}
	return rereadable{humaContext: hc, body: bytes.NewReader(body)}, nil
}

type humaContext = huma.Context // a name of its own: the interface has a method Context

// rereadable gives the handler the body that was read for the fingerprint.
type rereadable struct {
	humaContext
	body io.Reader
}

func (r rereadable) BodyReader() io.Reader { return r.body }

// SetReadDeadline does nothing: the body is here, and a deadline that nobody
// takes away would end the request (see arriving).
func (r rereadable) SetReadDeadline(time.Time) error { return nil }

// Unwrap lets the adapter find its own context.
func (r rereadable) Unwrap() huma.Context { return r.humaContext }
