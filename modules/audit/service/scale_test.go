package service_test

import (
	"context"
	"flag"
	"runtime"
	"testing"
	"time"

	"github.com/insulahq/insula/modules/audit"
	auditapi "github.com/insulahq/insula/modules/audit/api"
	"github.com/insulahq/insula/modules/audit/domain"
	"github.com/insulahq/insula/modules/audit/service"
	"github.com/insulahq/insula/platform/id"
	"github.com/insulahq/insula/platform/pg"
	"github.com/insulahq/insula/platform/uow"
)

// records is how many the tests of scale work on: few, unless somebody wants
// figures, as docs/performance.md says.
var records = flag.Int("records", 2000, "records of the trail that the tests of scale make")

// fill writes records as operations would leave them, but for their speed.
const fill = `INSERT INTO audit_events (id, at, operation, outcome, code, rule, actor_kind, actor_id, actor_label, session_id,
	target_kind, target_id, target_label, before, after, request_id, address, client, xid)
SELECT gen_random_uuid(), '2026-01-01'::timestamptz + n * interval '1 second', 'users.update', 'done', '', 'role admin',
	'user', ('00000000-0000-7000-8000-' || lpad((n % 1000)::text, 12, '0'))::uuid, 'user' || n % 1000 || '@example.com', gen_random_uuid(),
	'user', gen_random_uuid()::text, 'target@example.com', jsonb_build_object('name', 'Name ' || n), jsonb_build_object('name', 'Other ' || n),
	gen_random_uuid()::text, '192.0.2.' || n % 250, 'curl/8.5.0', pg_current_xact_id()::text::bigint
FROM generate_series(1, $1::int) n`

// count is a writer that keeps nothing.
type count int64

func (c *count) Write(p []byte) (int, error) {
	*c += count(len(p))
	return len(p), nil
}

// TestScale seals, checks and exports a long trail, and tells how fast.
func TestScale(t *testing.T) {
	r := newTrail(t, audit.Policy{Batch: 1000})
	start := time.Now()
	r.BehindTheWall(t, fill, *records)
	r.BehindTheWall(t, "ANALYZE audit_events")
	told := func(what string) {
		took := time.Since(start)
		t.Logf("%-9s %d records in %s, %.0f records/s", what, *records, took.Round(time.Millisecond), float64(*records)/took.Seconds())
		start = time.Now()
	}
	told("filled")
	r.settle(t, int64(*records))
	start = time.Now()
	for r.size(t) < int64(*records) {
		if _, err := r.sealing.Seal(t.Context(), r.Tenant, service.Now); err != nil {
			t.Fatal(err)
		}
	}
	told("sealed")
	if _, err := r.sealing.Publish(t.Context(), r.Tenant); err != nil {
		t.Fatal(err)
	}
	told("published")
	if report := r.verify(t); report.Finding != nil || report.Size != int64(*records) {
		t.Fatalf("%+v", report)
	}
	told("checked")
	for name, form := range map[string]func(*count) (func(domain.Event, *int64) error, func() error){
		"ndjson": func(c *count) (func(domain.Event, *int64) error, func() error) { return auditapi.WriteNDJSON(c) },
		"csv":    func(c *count) (func(domain.Event, *int64) error, func() error) { return auditapi.WriteCSV(c) },
	} {
		var size count
		var before runtime.MemStats
		runtime.GC()
		runtime.ReadMemStats(&before)
		highest, stop := watchHeap()
		start = time.Now()
		write, end := form(&size)
		if err := r.evidence(t).Export(t.Context(), domain.Spec{}, write); err != nil {
			t.Fatal(err)
		}
		if err := end(); err != nil {
			t.Fatal(err)
		}
		told(name)
		stop()
		grown := int64(*highest) - int64(before.HeapAlloc)
		t.Logf("%-9s %.1f MB, heap at most %.1f MB above its begin", name, float64(size)/1e6, float64(grown)/1e6)
		if grown > 64<<20 {
			t.Errorf("%s: memory grows with the trail", name)
		}
	}
}

// watchHeap keeps the largest heap that it sees.
func watchHeap() (highest *uint64, stop func()) {
	ctx, cancel := context.WithCancel(context.Background())
	highest, ended := new(uint64), make(chan struct{})
	go func() {
		defer close(ended)
		ticks := time.NewTicker(5 * time.Millisecond)
		defer ticks.Stop()
		for ctx.Err() == nil {
			var m runtime.MemStats
			runtime.ReadMemStats(&m)
			*highest = max(*highest, m.HeapAlloc)
			select {
			case <-ticks.C:
			case <-ctx.Done():
			}
		}
	}()
	return highest, func() { cancel(); <-ended }
}

// BenchmarkWrite is a small change without its record and with it.
//
//	go test ./modules/audit/service -run - -bench Write -count 5
func BenchmarkWrite(b *testing.B) {
	r := newTrail(b, audit.Policy{Batch: 1000})
	outbox := pg.NewOutbox(r.Pool, r.clock, id.System{})
	for _, with := range []bool{false, true} {
		b.Run(map[bool]string{false: "without", true: "with"}[with], func(b *testing.B) {
			for b.Loop() {
				e := r.entry()
				r.Write(b, func(tx uow.Tx) error {
					if err := outbox.Put(b.Context(), tx, service.Expire, struct{}{}); err != nil || !with {
						return err
					}
					return r.recorder.Record(b.Context(), tx, e)
				})
			}
		})
	}
}
