package httpx

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/labstack/echo/v4"

	"github.com/insulahq/insula/platform/errs"
)

// Problem is the one form in which an error leaves the house (RFC 9457).
type Problem struct {
	Type     string       `json:"type" format:"uri" doc:"Identifies the kind of problem: urn:insula:error:<code>."`
	Title    string       `json:"title" doc:"The HTTP status in words."`
	Status   int          `json:"status" doc:"The HTTP status."`
	Detail   string       `json:"detail" doc:"What went wrong, in a sentence for a person."`
	Instance string       `json:"instance,omitempty" doc:"The id of the request, for support."`
	Code     string       `json:"code" doc:"Stable code of the problem."`
	Errors   []errs.Field `json:"errors,omitempty" doc:"Which inputs were wrong."`

	retryAfter time.Duration
	secret     bool // of a route whose answers all say no-store already
}

// Error implements error.
func (p *Problem) Error() string { return p.Code + ": " + p.Detail }

// GetStatus implements huma.StatusError.
func (p *Problem) GetStatus() int { return p.Status }

// GetHeaders implements huma.HeadersError.
func (p *Problem) GetHeaders() http.Header {
	h := http.Header{}
	if !p.secret {
		h.Set("Cache-Control", "no-store")
	}
	if p.retryAfter > 0 {
		seconds := int64((p.retryAfter + time.Second - 1) / time.Second)
		h.Set("Retry-After", strconv.FormatInt(seconds, 10))
	}
	if p.Status == http.StatusUnauthorized {
		h.Set("WWW-Authenticate", `Bearer realm="insula"`)
	}
	return h
}

// ContentType implements huma.ContentTypeFilter.
func (p *Problem) ContentType(string) string { return "application/problem+json" }

var statusOf = map[errs.Kind]int{
	errs.Internal:             http.StatusInternalServerError,
	errs.Malformed:            http.StatusBadRequest,
	errs.Invalid:              http.StatusUnprocessableEntity,
	errs.Unauthenticated:      http.StatusUnauthorized,
	errs.Forbidden:            http.StatusForbidden,
	errs.NotFound:             http.StatusNotFound,
	errs.MethodNotAllowed:     http.StatusMethodNotAllowed,
	errs.NotAcceptable:        http.StatusNotAcceptable,
	errs.Conflict:             http.StatusConflict,
	errs.Gone:                 http.StatusGone,
	errs.PreconditionFailed:   http.StatusPreconditionFailed,
	errs.PreconditionRequired: http.StatusPreconditionRequired,
	errs.TooLarge:             http.StatusRequestEntityTooLarge,
	errs.UnsupportedMedia:     http.StatusUnsupportedMediaType,
	errs.RangeNotSatisfiable:  http.StatusRequestedRangeNotSatisfiable,
	errs.RateLimited:          http.StatusTooManyRequests,
	errs.Unavailable:          http.StatusServiceUnavailable,
	errs.Timeout:              http.StatusGatewayTimeout,
}

// problems turns errors into problem documents. It is the only place that
// does, and the only one that logs what the caller must not see.
type problems struct{ log *slog.Logger }

// logger is the log of the server that a request came to; errors that Huma
// makes know the request alone.
func (p problems) logger(ctx context.Context) *slog.Logger {
	if l := requestOf(ctx).log; l != nil {
		return l
	}
	return p.log
}

// from makes the problem of an error that a handler or a middleware returned.
func (p problems) from(ctx context.Context, err error) *Problem {
	var done *Problem
	if errors.As(err, &done) {
		return done
	}
	declared := p.declared(err)
	problem := &Problem{
		Type:     "urn:insula:error:" + declared.Code,
		Status:   statusOf[declared.Kind],
		Title:    http.StatusText(statusOf[declared.Kind]),
		Detail:   declared.Detail,
		Instance: requestOf(ctx).id,
		Code:     declared.Code,
		Errors:   declared.Fields,

		retryAfter: declared.RetryAfter,
	}
	requestOf(ctx).problem = problem.Code
	if problem.Status >= http.StatusInternalServerError {
		p.logger(ctx).ErrorContext(ctx, "request failed", "code", problem.Code, "error", err)
	}
	return problem
}

func (p problems) declared(err error) *errs.Error {
	if e, ok := errs.As(err); ok && e.Kind != errs.Internal {
		return e
	}
	var he *echo.HTTPError
	if errors.As(err, &he) {
		return byStatus(he.Code)
	}
	var tooLarge *http.MaxBytesError
	if errors.As(err, &tooLarge) {
		return errs.ErrTooLarge
	}
	if errors.Is(err, context.DeadlineExceeded) {
		return errs.ErrTimeout
	}
	return errs.ErrInternal
}

// byStatus is for errors that libraries make, of which only the status is to
// be trusted.
func byStatus(status int) *errs.Error {
	switch status {
	case http.StatusBadRequest:
		return errs.ErrMalformed
	case http.StatusUnauthorized:
		return errs.ErrUnauthenticated
	case http.StatusForbidden:
		return errs.ErrForbidden
	case http.StatusNotFound:
		return errs.ErrNotFound
	case http.StatusMethodNotAllowed:
		return errs.ErrMethodNotAllowed
	case http.StatusNotAcceptable:
		return errs.ErrNotAcceptable
	case http.StatusRequestEntityTooLarge:
		return errs.ErrTooLarge
	case http.StatusUnsupportedMediaType:
		return errs.ErrUnsupportedMedia
	case http.StatusUnprocessableEntity:
		return errs.ErrInvalid
	case http.StatusTooManyRequests:
		return errs.ErrRateLimited
	case http.StatusServiceUnavailable:
		return errs.ErrUnavailable
	case http.StatusRequestTimeout:
		return ErrStalled
	case http.StatusGatewayTimeout:
		return errs.ErrTimeout
	}
	return errs.ErrInternal
}

// fromHuma is the constructor of every error that Huma makes itself. The
// values of wrong fields are never copied: they may be secrets.
func (p problems) fromHuma(ctx context.Context, status int, causes ...error) huma.StatusError {
	if status == 0 {
		return &Problem{} // Huma only wants to see the form, for the document
	}
	declared := byStatus(status)
	for _, cause := range causes {
		if e, ok := errs.As(cause); ok {
			return p.from(ctx, e)
		}
		var d *huma.ErrorDetail
		// What is said of a content type repeats it.
		if errors.As(cause, &d) && status < http.StatusInternalServerError && status != http.StatusUnsupportedMediaType {
			declared = declared.At(wrongField(d))
		}
	}
	if status >= http.StatusInternalServerError {
		return p.from(ctx, errs.ErrInternal.Because(errors.Join(causes...)))
	}
	return p.from(ctx, declared)
}

// write answers a request with the problem of err, outside Huma.
func (p problems) write(ctx context.Context, w http.ResponseWriter, err error) {
	problem := p.from(ctx, err)
	body, merr := json.Marshal(problem)
	if merr != nil {
		p.logger(ctx).ErrorContext(ctx, "problem document", "error", merr)
	}
	for name, values := range problem.GetHeaders() {
		w.Header()[name] = values
	}
	w.Header().Set("Content-Type", problem.ContentType(""))
	w.WriteHeader(problem.Status)
	_, _ = w.Write(append(body, '\n')) // the client may be gone; nothing to do about it
}

var missingProperty = regexp.MustCompile(`^expected required property (\S+) to be present$`)

// wrongField names the field of a validation error. Huma reports a missing
// property at the object that lacks it; we name the property.
func wrongField(d *huma.ErrorDetail) (where, detail string) {
	if m := missingProperty.FindStringSubmatch(d.Message); m != nil {
		return pointer(d.Location + "." + m[1]), "is required"
	}
	return pointer(d.Location), d.Message
}

// pointer turns Huma's location ("body.tags[1].name") into a JSON pointer
// ("#/tags/1/name"); "query.limit", "path.id" and "header.If-Match" stay.
func pointer(location string) string {
	rest, ok := strings.CutPrefix(location, "body")
	if !ok {
		return location
	}
	r := strings.NewReplacer(".", "/", "[", "/", "]", "")
	rest = r.Replace(rest)
	if rest == "" {
		return "#"
	}
	return "#" + rest
}
