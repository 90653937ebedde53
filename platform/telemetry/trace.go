package telemetry

import (
	"context"
	"errors"
	"fmt"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracehttp"
	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/sdk/resource"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"
	"go.opentelemetry.io/otel/trace/noop"

	"github.com/insulahq/insula/platform/config"
)

// Traces makes the spans of the process. Without an endpoint in the
// configuration they cost next to nothing and go nowhere.
type Traces struct {
	trace.TracerProvider
	// Propagator reads and writes the W3C trace context of HTTP headers.
	Propagator propagation.TextMapPropagator
	shutdown   func(context.Context) error
}

// flushTimeout bounds how long the end of the process waits for the last
// spans to leave.
const flushTimeout = 5 * time.Second

// NewTraces prepares to send spans over OTLP/HTTP; it does not connect yet,
// and a collector that is away costs spans, never requests.
func NewTraces(ctx context.Context, c config.Trace) (*Traces, error) {
	t := &Traces{Propagator: propagation.TraceContext{}}
	if c.Endpoint == "" {
		t.TracerProvider = noop.NewTracerProvider()
		return t, nil
	}
	exporter, err := otlptracehttp.New(ctx, otlptracehttp.WithEndpointURL(c.Endpoint))
	if err != nil {
		return nil, fmt.Errorf("trace exporter: %w", err)
	}
	provider := sdktrace.NewTracerProvider(
		sdktrace.WithBatcher(exporter),
		sdktrace.WithSampler(sdktrace.ParentBased(sdktrace.TraceIDRatioBased(float64(c.Percent)/100))),
		sdktrace.WithResource(resource.NewSchemaless(attribute.String("service.name", "insula"))),
	)
	t.TracerProvider, t.shutdown = provider, provider.Shutdown
	return t, nil
}

// On reports whether spans are sent anywhere.
func (t *Traces) On() bool { return t != nil && t.shutdown != nil }

// Close sends what is left.
func (t *Traces) Close() error {
	if !t.On() {
		return nil
	}
	ctx, cancel := context.WithTimeout(context.Background(), flushTimeout)
	defer cancel()
	if err := t.shutdown(ctx); err != nil && !errors.Is(err, context.DeadlineExceeded) {
		return fmt.Errorf("last spans: %w", err)
	}
	return nil
}

// ForceFlush sends what has been collected so far.
func (t *Traces) ForceFlush(ctx context.Context) error {
	if p, ok := t.TracerProvider.(*sdktrace.TracerProvider); ok {
		return p.ForceFlush(ctx)
	}
	return nil
}
