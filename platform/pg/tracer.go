package pg

import (
	"context"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
)

// tracer tells how long each named query took. Statements without a name
// (begin, commit) are not worth a label.
type tracer struct {
	observe func(query string, took time.Duration, failed bool)
}

type traceKey struct{}

type trace struct {
	name  string
	start time.Time
}

func (t tracer) TraceQueryStart(ctx context.Context, _ *pgx.Conn, d pgx.TraceQueryStartData) context.Context {
	name := queryName(d.SQL)
	if name == "" {
		return ctx
	}
	return context.WithValue(ctx, traceKey{}, trace{name: name, start: time.Now()})
}

func (t tracer) TraceQueryEnd(ctx context.Context, _ *pgx.Conn, d pgx.TraceQueryEndData) {
	if tr, ok := ctx.Value(traceKey{}).(trace); ok {
		t.observe(tr.name, time.Since(tr.start), d.Err != nil)
	}
}

func (t tracer) TraceBatchStart(ctx context.Context, _ *pgx.Conn, d pgx.TraceBatchStartData) context.Context {
	last := d.Batch.QueuedQueries[len(d.Batch.QueuedQueries)-1]
	return context.WithValue(ctx, traceKey{}, trace{name: queryName(last.SQL), start: time.Now()})
}

func (t tracer) TraceBatchQuery(context.Context, *pgx.Conn, pgx.TraceBatchQueryData) {}

func (t tracer) TraceBatchEnd(ctx context.Context, _ *pgx.Conn, d pgx.TraceBatchEndData) {
	if tr, ok := ctx.Value(traceKey{}).(trace); ok && tr.name != "" {
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
