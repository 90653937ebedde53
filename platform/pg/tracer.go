package pg

import (
	"context"
	"strings"
	"time"

	"github.com/exaring/otelpgx"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/multitracer"
)

// tracers are who watches the queries of a pool. Spans carry the names of
// queries and never their parameters.
func tracers(o Options) pgx.QueryTracer {
	var all []pgx.QueryTracer
	if o.Observe != nil {
		all = append(all, tracer{observe: o.Observe})
	}
	if o.Spans != nil {
		all = append(all, otelpgx.NewTracer(otelpgx.WithTracerProvider(o.Spans), otelpgx.WithSpanNameFunc(spanName)))
	}
	return multitracer.New(all...)
}

func spanName(sql string) string {
	if name := queryName(sql); name != "" {
		return name
	}
	return "statement"
}

// tracer tells how long each named query took. Statements without a name
// (begin, commit) are not worth a label.
type tracer struct {
	observe func(query string, took time.Duration, failed bool)
}

type traceKey struct{}

type timing struct {
	name  string
	start time.Time
}

func (t tracer) TraceQueryStart(ctx context.Context, _ *pgx.Conn, d pgx.TraceQueryStartData) context.Context {
	name := queryName(d.SQL)
	if name == "" {
		return ctx
	}
	return context.WithValue(ctx, traceKey{}, timing{name: name, start: time.Now()})
}

func (t tracer) TraceQueryEnd(ctx context.Context, _ *pgx.Conn, d pgx.TraceQueryEndData) {
	if tr, ok := ctx.Value(traceKey{}).(timing); ok {
		t.observe(tr.name, time.Since(tr.start), d.Err != nil)
	}
}

func (t tracer) TraceBatchStart(ctx context.Context, _ *pgx.Conn, d pgx.TraceBatchStartData) context.Context {
	last := d.Batch.QueuedQueries[len(d.Batch.QueuedQueries)-1]
	return context.WithValue(ctx, traceKey{}, timing{name: queryName(last.SQL), start: time.Now()})
}

func (t tracer) TraceBatchQuery(context.Context, *pgx.Conn, pgx.TraceBatchQueryData) {}

func (t tracer) TraceBatchEnd(ctx context.Context, _ *pgx.Conn, d pgx.TraceBatchEndData) {
	if tr, ok := ctx.Value(traceKey{}).(timing); ok && tr.name != "" {
		t.observe(tr.name, time.Since(tr.start), d.Err != nil)
	}
}

// queryName is the name sqlc writes in front of each generated query:
// "-- name: GetUser :one".
func queryName(sql string) string {
	rest, ok := strings.CutPrefix(sql, "-- name: ")
	if !ok {
		return ""
	}
	name, _, _ := strings.Cut(rest, " ")
	return name
}
