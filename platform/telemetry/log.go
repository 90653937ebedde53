// Package telemetry is how the program tells what it does: structured logs, metrics, and the private
// listener that serves them.
package telemetry

import (
	"context"
	"io"
	"log/slog"
	"slices"

	"github.com/insulahq/insula/platform/config"
)

// NewLogger returns the program's logger, which writes one line per record to w. Times are UTC. Every line
// carries the attributes that With put into its context. Line breaks and other control characters in
// messages or values are escaped in both formats, so no input can forge a line.
func NewLogger(w io.Writer, c config.Log) *slog.Logger {
	options := &slog.HandlerOptions{Level: c.Level, ReplaceAttr: utcTime}
	var base slog.Handler = slog.NewJSONHandler(w, options)
	if c.Format == "text" {
		base = slog.NewTextHandler(w, options)
	}
	return slog.New(&contextHandler{base: base})
}

func utcTime(groups []string, a slog.Attr) slog.Attr {
	if len(groups) == 0 && a.Key == slog.TimeKey && a.Value.Kind() == slog.KindTime {
		a.Value = slog.TimeValue(a.Value.Time().UTC())
	}
	return a
}

type attrsKey struct{}

// With returns a context whose log lines carry attrs, in addition to those ctx carries already; an
// attribute replaces an earlier one of the same key. The keys used by requests are request_id, tenant,
// caller and operation.
func With(ctx context.Context, attrs ...slog.Attr) context.Context {
	merged := slices.Clone(Attrs(ctx)) // never append in place: contexts fork
	for _, a := range attrs {
		merged = slices.DeleteFunc(merged, func(old slog.Attr) bool { return old.Key == a.Key })
		merged = append(merged, a)
	}
	return context.WithValue(ctx, attrsKey{}, merged)
}

// Attrs returns the attributes that ctx gives to log lines. The caller must not change them.
func Attrs(ctx context.Context) []slog.Attr {
	attrs, _ := ctx.Value(attrsKey{}).([]slog.Attr)
	return attrs
}

// contextHandler adds the attributes of the context to each record, always at the top level of the line:
// once a group is open, base stays as it was outside and the steps since are replayed for each record.
type contextHandler struct {
	base  slog.Handler
	steps []func(slog.Handler) slog.Handler
}

// Enabled implements slog.Handler.
func (h *contextHandler) Enabled(ctx context.Context, level slog.Level) bool {
	return h.base.Enabled(ctx, level)
}

// Handle implements slog.Handler.
func (h *contextHandler) Handle(ctx context.Context, r slog.Record) error {
	attrs := Attrs(ctx)
	if len(h.steps) == 0 {
		if len(attrs) > 0 {
			r = r.Clone()
			r.AddAttrs(attrs...)
		}
		return h.base.Handle(ctx, r)
	}
	handler := h.base.WithAttrs(attrs)
	for _, step := range h.steps {
		handler = step(handler)
	}
	return handler.Handle(ctx, r)
}

// WithAttrs implements slog.Handler.
func (h *contextHandler) WithAttrs(attrs []slog.Attr) slog.Handler {
	if len(h.steps) == 0 {
		return &contextHandler{base: h.base.WithAttrs(attrs)}
	}
	return h.with(func(inner slog.Handler) slog.Handler { return inner.WithAttrs(attrs) })
}

// WithGroup implements slog.Handler.
func (h *contextHandler) WithGroup(name string) slog.Handler {
	if name == "" {
		return h
	}
	return h.with(func(inner slog.Handler) slog.Handler { return inner.WithGroup(name) })
}

func (h *contextHandler) with(step func(slog.Handler) slog.Handler) slog.Handler {
	return &contextHandler{base: h.base, steps: append(slices.Clip(h.steps), step)}
}
