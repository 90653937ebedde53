package httpx

import (
	"bufio"
	"context"
	"fmt"
	"net/http"
	"strconv"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humaecho"

	"github.com/insulahq/insula/platform/op"
)

// Stream is the answer of a route that GetStream registers: content of
// unknown length that is made while it is sent.
type Stream struct {
	ContentType string
	Name        string // what it is called when it is saved; empty when it is not to be
	// Write makes the content. Its error becomes a problem document if nothing
	// was sent yet; after that it breaks the connection, so that nobody takes
	// the part for the whole.
	Write func(ctx context.Context, w *StreamWriter) error
}

// streamBuffer is what is collected before it is sent, in bytes.
const streamBuffer = 32 << 10

// StreamWriter sends what is written to it in large pieces. The client gets
// transferIdle to take each.
type StreamWriter struct {
	buffer *bufio.Writer
	out    *lateHeader
}

// Write implements io.Writer.
func (w *StreamWriter) Write(p []byte) (int, error) { return w.buffer.Write(p) }

// Flush sends what was written so far, the header before all.
func (w *StreamWriter) Flush() error {
	if err := w.buffer.Flush(); err != nil {
		return err
	}
	w.out.begin()
	return http.NewResponseController(humaecho.Unwrap(w.out.hc).Response()).Flush()
}

// lateHeader sends the header with the first piece, so that until then an
// error can still become a problem document.
type lateHeader struct {
	hc     huma.Context
	stream *Stream
	to     outgoing
	begun  bool
}

func (l *lateHeader) begin() {
	if l.begun {
		return
	}
	l.begun = true
	l.hc.SetHeader("Content-Type", l.stream.ContentType)
	l.hc.SetHeader("Cache-Control", "no-store")
	if l.stream.Name != "" {
		l.hc.SetHeader("Content-Disposition", Attachment(l.stream.Name))
	}
	l.hc.SetStatus(http.StatusOK)
}

func (l *lateHeader) Write(p []byte) (int, error) {
	l.begin()
	return l.to.Write(p)
}

// GetStream registers a route that answers with a stream; contentTypes are
// those it may have.
func GetStream[I any](r *Router, d op.Def, path string, contentTypes []string, h func(context.Context, *I) (*Stream, error), opts ...RouteOption) {
	describe := func(o *huma.Operation) {
		content := map[string]*huma.MediaType{}
		for _, name := range contentTypes {
			content[name] = &huma.MediaType{Schema: &huma.Schema{Type: huma.TypeString}}
		}
		o.Responses = map[string]*huma.Response{strconv.Itoa(http.StatusOK): {Description: "The stream.", Content: content}}
	}
	opts = append([]RouteOption{Streams, describe}, opts...)
	register(r, d, http.MethodGet, path, func(ctx context.Context, in *I) (*huma.StreamResponse, error) {
		s, err := h(ctx, in)
		if err != nil {
			return nil, err
		}
		return &huma.StreamResponse{Body: func(hc huma.Context) { r.stream(hc, s) }}, nil
	}, opts)
}

func (r *Router) stream(hc huma.Context, s *Stream) {
	idle := writeDeadline(hc)
	defer idle.clear() // the connection may serve another request
	out := &lateHeader{hc: hc, stream: s, to: outgoing{to: hc.BodyWriter(), idle: idle}}
	if IsHead(hc.Context()) { // making the content would be for nothing, and may never end
		out.begin()
		return
	}
	w := &StreamWriter{buffer: bufio.NewWriterSize(out, streamBuffer), out: out}
	err := s.Write(hc.Context(), w)
	if err == nil {
		err = w.buffer.Flush()
	}
	switch {
	case err == nil:
		out.begin()
	case !out.begun:
		r.refuse(hc, err)
	default:
		if !out.to.broken && hc.Context().Err() == nil {
			r.problems.log.ErrorContext(hc.Context(), "stream cut short", "error", fmt.Sprint(err))
		}
		panic(http.ErrAbortHandler)
	}
}
