package httpx

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humaecho"

	"github.com/insulahq/insula/platform/op"
)

// Transfers are bodies that are streamed and never held in memory: an Upload
// on the way in, a Download on the way out. They are neither compressed nor
// under the request's time limit (layers.go); a client may be slow, but it
// must keep moving.

// transferIdle is how long a client may stand still in a transfer. Each piece
// that passes gives it as long again.
const transferIdle = time.Minute

// binary is how the document describes a streamed body.
const binary = "application/octet-stream"

// PutContent registers a route whose body is streamed to the handler. Its
// input embeds Upload; a body of more than limit bytes is refused with
// errs.ErrTooLarge, before it is read where its length is known.
//
// Such a route asks for no If-Match: it fills a place that waits for content
// and never replaces any.
func PutContent[I, O any](r *Router, d op.Def, path string, limit int64, h func(context.Context, *I) (*O, error), opts ...RouteOption) {
	if _, ok := any(new(I)).(uploading); !ok {
		panic(fmt.Sprintf("httpx: the input of %s does not embed Upload", d.Name))
	}
	opts = append([]RouteOption{Streams, takesContent(limit)}, opts...)
	register(r, d, http.MethodPut, path, h, opts)
}

// GetContent registers a route that answers with a stream. It honours
// If-None-Match, Range and If-Range, and HEAD; see Download.
func GetContent[I any](r *Router, d op.Def, path string, h func(context.Context, *I) (*Download, error), opts ...RouteOption) {
	opts = append([]RouteOption{Streams, givesContent}, opts...)
	register(r, d, http.MethodGet, path, func(ctx context.Context, in *I) (*huma.StreamResponse, error) {
		download, err := h(ctx, in)
		if err != nil {
			return nil, err
		}
		return &huma.StreamResponse{Body: func(hc huma.Context) { r.deliver(hc, download) }}, nil
	}, opts)
}

func takesContent(limit int64) RouteOption {
	return func(o *huma.Operation) {
		o.MaxBodyBytes = limit
		o.RequestBody = &huma.RequestBody{
			Required:    true,
			Description: "The bytes themselves, of any content type.",
			Content:     map[string]*huma.MediaType{binary: {Schema: binarySchema()}},
		}
		o.Errors = slices.DeleteFunc(o.Errors, func(status int) bool {
			return status == http.StatusPreconditionFailed || status == http.StatusPreconditionRequired
		})
	}
}

func givesContent(o *huma.Operation) {
	for _, h := range []struct{ name, doc string }{
		{"If-None-Match", "Answer 304 without a body when this is still the ETag."},
		{"Range", "One range of bytes, such as bytes=0-1023. Several ranges are answered with everything."},
		{"If-Range", "An ETag: the range is answered only while it is the current one, else everything."},
	} {
		o.Parameters = append(o.Parameters, &huma.Param{
			Name: h.name, In: "header", Description: h.doc, Schema: &huma.Schema{Type: huma.TypeString},
		})
	}
	headers := map[string]*huma.Header{}
	for _, name := range []string{"Accept-Ranges", "Content-Disposition", "ETag", "Repr-Digest"} {
		headers[name] = &huma.Header{Schema: &huma.Schema{Type: huma.TypeString}}
	}
	body := map[string]*huma.MediaType{binary: {Schema: binarySchema()}}
	o.Responses = map[string]*huma.Response{
		strconv.Itoa(http.StatusOK):             {Description: "The content.", Headers: headers, Content: body},
		strconv.Itoa(http.StatusPartialContent): {Description: "The range asked for.", Headers: headers, Content: body},
		strconv.Itoa(http.StatusFound):          {Description: "The content is read at Location, for some minutes."},
		strconv.Itoa(http.StatusNotModified):    {Description: "The content is what the caller has."},
	}
	o.Errors = append(o.Errors, http.StatusConflict, http.StatusRequestedRangeNotSatisfiable)
}

func binarySchema() *huma.Schema { return &huma.Schema{Type: huma.TypeString, Format: "binary"} }

// deadline moves a limit of a connection: forward while bytes pass, away (the
// zero time) at the end. Its error is dropped: a connection without deadlines,
// as in some tests, only loses the protection from clients that stand still.
type deadline func(time.Time) error

func (d deadline) extend() { _ = d(time.Now().Add(transferIdle)) }
func (d deadline) clear()  { _ = d(time.Time{}) }

func readDeadline(hc huma.Context) deadline { return hc.SetReadDeadline }

func writeDeadline(hc huma.Context) deadline {
	return http.NewResponseController(humaecho.Unwrap(hc).Response()).SetWriteDeadline
}
