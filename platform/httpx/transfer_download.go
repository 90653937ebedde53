package httpx

import (
	"context"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"io"
	"net/http"
	"strconv"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humaecho"

	"github.com/insulahq/insula/platform/errs"
)

// ErrRange refuses a range that lies outside the content.
var ErrRange = errs.New(errs.RangeNotSatisfiable, "range_not_satisfiable", "The content ends before the range that was asked for.")

// Download is the answer of a route that GetContent registers.
//
// Whatever the content claims to be, a browser keeps it as a file and never
// shows it inside our origin: it is an attachment, sandboxed, and its type is
// not guessed again. No cache keeps it: only we know whether the next reader
// may see it, and we cannot know how confidential it is. The ETag still serves
// clients that keep a copy on purpose (If-None-Match) or go on with one after
// a cut (Range with If-Range).
type Download struct {
	Name        string // what the file is called when it is saved, in any language
	ContentType string
	Size        int64  // of the whole content, in bytes
	SHA256      []byte // of the whole content; ETag and Repr-Digest are made of it
	// Open reads length bytes from an offset on. It is called at most once,
	// when it is known which bytes the client wants.
	Open func(ctx context.Context, from, length int64) (io.ReadCloser, error)
	// Elsewhere, when set, makes a link to where the client reads the content
	// itself, which answers with this Content-Disposition.
	Elsewhere func(ctx context.Context, disposition string) (url string, err error)
	// Begin, when set, is called once when there is content to send and
	// nothing else can refuse it: not for HEAD, 304 and 416, nor when the
	// content cannot be opened. Its error is the answer instead.
	Begin func(ctx context.Context) error
	// Whole answers a range with the whole content, as a server may.
	Whole bool
}

func (d *Download) etag() string { return `"` + hex.EncodeToString(d.SHA256) + `"` }

// deliver answers with a download. Until the first byte is there it can still
// become a problem document.
func (r *Router) deliver(hc huma.Context, d *Download) {
	if (IfNoneMatch{IfNoneMatch: hc.Header("If-None-Match")}).has(d.etag()) {
		d.describe(hc)
		hc.SetStatus(http.StatusNotModified)
		return
	}
	if d.Elsewhere != nil && !IsHead(hc.Context()) {
		r.redirect(hc, d)
		return
	}
	part, err := d.wanted(hc)
	if err != nil {
		hc.SetHeader("Content-Range", fmt.Sprintf("bytes */%d", d.Size))
		r.refuse(hc, err)
		return
	}
	body, err := d.open(hc.Context(), part)
	if err != nil {
		r.refuse(hc, err)
		return
	}
	defer body.Close()
	if err := d.begin(hc.Context()); err != nil {
		r.refuse(hc, err)
		return
	}
	d.describe(hc)
	hc.SetHeader("Content-Type", d.ContentType)
	hc.SetHeader("Content-Length", strconv.FormatInt(part.length, 10))
	status := http.StatusOK
	if part.partial {
		status = http.StatusPartialContent
		hc.SetHeader("Content-Range", fmt.Sprintf("bytes %d-%d/%d", part.from, part.from+part.length-1, d.Size))
	}
	hc.SetStatus(status)
	if IsHead(hc.Context()) {
		return
	}
	r.pour(hc, body, part.length)
}

// redirect sends the client to where it reads the content itself. The link is
// a secret for some minutes: no cache keeps it.
func (r *Router) redirect(hc huma.Context, d *Download) {
	url, err := d.Elsewhere(hc.Context(), Attachment(d.Name))
	if err == nil {
		err = d.begin(hc.Context())
	}
	if err != nil {
		r.refuse(hc, err)
		return
	}
	hc.SetHeader("Cache-Control", "private, no-store")
	hc.SetHeader("Location", url)
	hc.SetStatus(http.StatusFound)
}

func (r *Router) refuse(hc huma.Context, err error) {
	r.problems.write(hc.Context(), humaecho.Unwrap(hc).Response(), err)
}

// wanted is the part that the client asks for. A range holds only for the
// content it was asked of; without that, all of it is the right answer.
func (d *Download) wanted(hc huma.Context) (part, error) {
	if d.Whole {
		return part{length: d.Size}, nil
	}
	header := hc.Header("Range")
	if condition := hc.Header("If-Range"); condition != "" && condition != d.etag() {
		header = ""
	}
	return parseRange(header, d.Size)
}

// open reads nothing from elsewhere for a part without bytes.
func (d *Download) open(ctx context.Context, p part) (io.ReadCloser, error) {
	if p.length == 0 || IsHead(ctx) {
		return http.NoBody, nil
	}
	return d.Open(ctx, p.from, p.length)
}

// begin says that content is about to be sent.
func (d *Download) begin(ctx context.Context) error {
	if d.Begin == nil || IsHead(ctx) {
		return nil
	}
	return d.Begin(ctx)
}

// describe sets the headers that every answer about the content has, 304
// included.
func (d *Download) describe(hc huma.Context) {
	hc.SetHeader("ETag", d.etag())
	ranges := "bytes"
	if d.Whole {
		ranges = "none"
	}
	hc.SetHeader("Accept-Ranges", ranges)
	hc.SetHeader("Cache-Control", "private, no-store")
	hc.SetHeader("Repr-Digest", "sha-256=:"+base64.StdEncoding.EncodeToString(d.SHA256)+":")
	hc.SetHeader("Content-Disposition", Attachment(d.Name))
	hc.SetHeader("X-Content-Type-Options", "nosniff")
	hc.SetHeader("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'; sandbox")
}

// pour copies exactly length bytes. When fewer come, the answer stays shorter
// than it announced, and the server breaks the connection, so that the client
// cannot take it for complete.
func (r *Router) pour(hc huma.Context, body io.Reader, length int64) {
	idle := writeDeadline(hc)
	defer idle.clear() // the connection may serve another request
	out := &outgoing{to: hc.BodyWriter(), idle: idle}
	n, err := io.CopyN(out, body, length)
	if err != nil && !out.broken {
		r.problems.log.ErrorContext(hc.Context(), "download cut short", "sent", n, "of", length, "error", err)
	}
}

// outgoing writes a body; the limit of time moves on with every piece.
type outgoing struct {
	to     io.Writer
	idle   deadline
	broken bool // the client is gone or stands still, which is its own affair
}

func (w *outgoing) Write(p []byte) (int, error) {
	w.idle.extend()
	n, err := w.to.Write(p)
	w.broken = w.broken || err != nil
	return n, err
}
