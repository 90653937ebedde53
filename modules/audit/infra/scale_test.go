package infra_test

import (
	"flag"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/insulahq/insula/modules/audit/domain"
	"github.com/insulahq/insula/modules/audit/infra"
	"github.com/insulahq/insula/modules/audit/infra/internal/auditdb"
	"github.com/insulahq/insula/platform/page"
	"github.com/insulahq/insula/platform/pgtest"
	"github.com/insulahq/insula/platform/uow"
)

// records is how many the tests of scale work on: few, unless somebody wants
// figures, as docs/performance.md says.
var records = flag.Int("records", 5000, "records of the trail that the tests of scale make")

// fill writes records of a thousand people, forty operations, ten kinds of
// things and a hundred thousand things, with the words that sealing would add.
const fill = `WITH made AS (
	INSERT INTO audit_events (id, at, operation, outcome, code, rule, actor_kind, actor_id, actor_label, session_id,
		target_kind, target_id, target_label, before, after, request_id, address, client, xid)
	SELECT gen_random_uuid(), '2026-01-01'::timestamptz + n * interval '1 second',
		(ARRAY['users','files','roles','tenants'])[1 + n % 4] || '.' || (ARRAY['create','update','delete','get','list','a.b','c.d','e.f','g.h','i.j'])[1 + n / 4 % 10],
		CASE WHEN n % 100 = 0 THEN 'failed' WHEN n % 997 = 0 THEN 'denied' ELSE 'done' END, '', 'role admin',
		'user', ('00000000-0000-7000-8000-' || lpad((n % 1000)::text, 12, '0'))::uuid, 'user@example.com', NULL,
		'kind' || n % 10, (n % 100000)::text, '', NULL, jsonb_build_object('name', 'Name ' || n % 5000), 'r-' || n, '192.0.' || n % 40 || '.' || n / 40 % 250, 'curl', 1
	FROM generate_series(1, $1::int) n
	RETURNING at, id, after)
INSERT INTO audit_words SELECT w, at, id FROM made, unnest(ARRAY['name', split_part(after->>'name', ' ', 2)]) w`

// searches are what people look for: the common and the rare of each filter.
func searches(n int) map[string]domain.Spec {
	actor := uuid.MustParse("00000000-0000-7000-8000-000000000007")
	middle := time.Date(2026, 1, 1, 0, 0, n/2, 0, time.UTC)
	return map[string]domain.Spec{
		"newest":              {},
		"time range":          {From: middle, To: middle.Add(time.Hour)},
		"actor":               {Actor: &actor},
		"actor and outcome":   {Actor: &actor, Outcome: "failed"},
		"operation":           {Operation: "users.update"},
		"operation unknown":   {Operation: "nothing.like_it"},
		"operation prefix":    {Operation: "users."},
		"target":              {TargetKind: "kind7", TargetID: "7"},
		"target kind":         {TargetKind: "kind3"},
		"outcome denied":      {Outcome: "denied"},
		"outcome done":        {Outcome: "done"},
		"request":             {RequestID: fmt.Sprintf("r-%d", n/3)},
		"address":             {Address: "192.0.7.7"},
		"text, common word":   {Text: "name"},
		"text, rare word":     {Text: "4321"},
		"text, two words":     {Text: "name 4321"},
		"text and time range": {Text: "name", From: middle, To: middle.Add(time.Minute)},
	}
}

func filled(t testing.TB) pgtest.Fixture {
	f := pgtest.Tenant(t)
	f.BehindTheWall(t, fill, *records)
	f.BehindTheWall(t, "ANALYZE audit_events")
	f.BehindTheWall(t, "ANALYZE audit_words")
	return f
}

// TestSearchesOfALongTrail measures each search, and checks that none reads
// more of the trail than it must: its plan, made without knowing the values,
// reaches the table by an index that its filter or the keyset bounds.
func TestSearchesOfALongTrail(t *testing.T) {
	f := filled(t)
	plans(t, f)
	repository := infra.NewRepository()
	for _, name := range sorted(searches(*records)) {
		spec := searches(*records)[name]
		var took []time.Duration
		for range 100 {
			start := time.Now()
			var found page.Page[domain.Event]
			f.Write(t, func(tx uow.Tx) (err error) { // as a search that is recorded runs
				found, err = repository.List(t.Context(), tx, spec, page.Request{Limit: 50})
				return err
			})
			took = append(took, time.Since(start))
			for _, e := range found.Items {
				if !spec.Finds(e) && spec.Text == "" {
					t.Fatalf("%s finds %+v", name, e)
				}
			}
		}
		slices.Sort(took)
		t.Logf("%-20s p50 %8s  p99 %8s", name, took[50].Round(10*time.Microsecond), took[98].Round(10*time.Microsecond))
	}
}

func sorted[V any](m map[string]V) []string {
	names := make([]string, 0, len(m))
	for name := range m {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

// plans explains the statements as the server runs them when it has stopped to
// look at the values.
func plans(t *testing.T, f pgtest.Fixture) {
	t.Helper()
	f.Indexed(t, map[string]string{
		"ListEvents": auditdb.ListEvents, "ListEventsByActor": auditdb.ListEventsByActor, "ListEventsByOperation": auditdb.ListEventsByOperation,
		"ListEventsByOperations": auditdb.ListEventsByOperations, "ListEventsByTarget": auditdb.ListEventsByTarget,
		"ListEventsByKind": auditdb.ListEventsByKind, "ListEventsByRequest": auditdb.ListEventsByRequest,
		"ListEventsByAddress": auditdb.ListEventsByAddress, "ListRefusedEvents": auditdb.ListRefusedEvents, "ListEventsByWord": auditdb.ListEventsByWord,
	}, map[string]string{"enable_bitmapscan": "off"}) // as List says
}
