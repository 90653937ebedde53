package httpx

import (
	"context"
	"log/slog"
	"net/http"

	"go.opentelemetry.io/contrib/instrumentation/net/http/otelhttp"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/trace"

	"github.com/insulahq/insula/platform/op"
	"github.com/insulahq/insula/platform/telemetry"
)

// traced puts a span around every request, in the trace that the caller
// began, if any.
func traced(h http.Handler, t *telemetry.Traces) http.Handler {
	if !t.On() {
		return h
	}
	return otelhttp.NewHandler(h, "request", otelhttp.WithTracerProvider(t), otelhttp.WithPropagators(t.Propagator))
}

// nameSpan gives the span of a request the name of its operation: addresses
// hold ids, and there are too many of them.
func nameSpan(ctx context.Context, d op.Def, route string) {
	span := trace.SpanFromContext(ctx)
	span.SetName(d.Name)
	span.SetAttributes(attribute.String("http.route", route), attribute.String("insula.request_id", requestOf(ctx).id))
}

// traceAttrs lead from a log line to the trace of its request.
func traceAttrs(ctx context.Context) []slog.Attr {
	if sc := trace.SpanContextFromContext(ctx); sc.IsValid() {
		return []slog.Attr{slog.String("trace_id", sc.TraceID().String())}
	}
	return nil
}
