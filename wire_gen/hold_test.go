package wiregen_test

import (
	"bytes"
	"fmt"
	"net/http"
	"net/url"
	"testing"
	"time"

	auditapi "github.com/insulahq/insula/modules/audit/api"
	"github.com/insulahq/insula/modules/audit/domain"
	auditservice "github.com/insulahq/insula/modules/audit/service"
)

// expire removes all that retention lets go, and says how much it was.
func (n *tenant) expire(t *testing.T) (removed int) {
	t.Helper()
	served, err := n.h.Directory.ByID(t.Context(), n.id)
	if err != nil {
		t.Fatal(err)
	}
	for {
		due, err := n.h.Retention.Due(t.Context(), served)
		if err == nil && !due {
			return removed
		}
		some := 0
		if err == nil {
			some, err = n.h.Retention.Expire(t.Context(), served)
		}
		if err != nil {
			t.Fatal(err)
		}
		removed += some
	}
}

// kept is a root that an auditor has written down.
type kept struct{ size, root string }

func keep(t *testing.T, r auditapi.AuditReport) kept {
	t.Helper()
	head, err := domain.OpenHead(r.Head, r.Key)
	if err != nil {
		t.Fatal(err)
	}
	return kept{fmt.Sprint(head.Size), head.Root.String()}
}

// fits checks the trail over HTTP, against a root that was kept.
func (n *tenant) fits(t *testing.T, old kept) auditapi.AuditReport {
	t.Helper()
	path := "/v1/audit/verify?size=" + old.size + "&root=" + url.QueryEscape(old.root)
	report := decode[auditapi.AuditReport](t, n.as().get(t, path), http.StatusOK)
	if !report.Fits {
		t.Errorf("the trail does not fit: %+v", report.Finding)
	}
	return report
}

// TestALegalHoldStopsRetention: with a hold nothing is removed, whatever the
// retention; without it the oldest records go, and the heads and proofs of the
// others hold as before, online and offline.
func TestALegalHoldStopsRetention(t *testing.T) {
	t.Parallel()
	const day = 24 * time.Hour
	h := newHouse(t)
	n := h.tenant(t)
	for i := range 5 {
		n.invite(t, fmt.Sprintf("old%d@example.com", i))
	}
	n.seal(t)
	old := keep(t, n.report(t))
	oldExport := n.as().get(t, "/v1/audit/export").Body.Bytes()
	h.clock.Advance(50 * day)
	n.owner.signIn(t, n)
	n.invite(t, "new@example.com")
	n.seal(t)
	all := len(n.events(t, ""))

	n.adjust(t, h, `{"audit.retention":"720h","audit.legal_hold":true}`)
	if removed := n.expire(t); removed != 0 {
		t.Fatalf("%d records are removed in spite of a hold", removed)
	}
	if report := n.fits(t, old); report.Removed != 0 || len(n.events(t, "")) < all {
		t.Errorf("under a hold: %+v", report)
	}

	n.adjust(t, h, `{"audit.legal_hold":false}`)
	removed := n.expire(t)
	if removed < 5 || removed >= all || len(n.events(t, "operation=users.create")) != 1 {
		t.Fatalf("%d of %d records are removed", removed, all)
	}
	if report := n.fits(t, old); report.Removed != int64(removed) { // before the removal's own record is sealed
		t.Errorf("%+v, removed %d", report, removed)
	}
	n.seal(t)
	report := n.fits(t, old)
	if told := n.events(t, "operation="+auditservice.Expire.Name); len(told) != 1 || told[0].Actor.Kind != "job" || report.Removed != int64(removed) {
		t.Errorf("%+v, recorded as %+v", report, told)
	}
	if head, err := n.proofOf(t, n.events(t, "operation=users.create")[0]).Check(report.Key); err != nil || head.Tenant != n.id {
		t.Errorf("the proof of what is left: %+v, %v", head, err)
	}
	heads := n.heads(t, report.Key)
	for name, export := range map[string][]byte{"before": oldExport, "after": n.as().get(t, "/v1/audit/export").Body.Bytes()} {
		of := heads
		if name == "before" { // it ends with the head that was kept then
			of = heads[:1]
		}
		offline, err := domain.CheckExport(bytes.NewReader(export), of, auditservice.Expire.Name)
		if err != nil || offline.Finding != nil || offline.Heads == 0 {
			t.Errorf("the export from %s the removal: %+v, %v", name, offline, err)
		}
	}

	n.adjust(t, h, `{"audit.legal_hold":true}`)
	h.clock.Advance(50 * day)
	n.owner.signIn(t, n)
	if removed := n.expire(t); removed != 0 {
		t.Errorf("%d records are removed after the hold came back", removed)
	}
}
