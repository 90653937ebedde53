package wiregen_test

import (
	"context"
	"fmt"
	"net/http"
	"runtime"
	"testing"
	"time"

	auditapi "github.com/insulahq/insula/modules/audit/api"
	"github.com/insulahq/insula/platform/s3x"
)

// report checks the trail of a tenant over HTTP.
func (n *tenant) report(t *testing.T) auditapi.AuditReport {
	t.Helper()
	return decode[auditapi.AuditReport](t, n.as().get(t, "/v1/audit/verify"), http.StatusOK)
}

// evidence counts the objects of one kind that are kept of a tenant.
func (n *tenant) evidence(t *testing.T, kind s3x.Evidence) (count int) {
	t.Helper()
	for _, err := range n.h.blobs.ListEvidence(t.Context(), n.id, kind, 0) {
		if err != nil {
			t.Fatal(err)
		}
		count++
	}
	return count
}

// adjust changes settings of a tenant as the operator does, from a house.
func (n *tenant) adjust(t *testing.T, from *house, values string) {
	t.Helper()
	mustDo(t, from.operator(t).as().with("If-Match", "*").call(t, "PATCH", "/v1/tenants/"+n.id.String()+"/settings", `{"values":`+values+`}`))
}

// TestSizeAndForwardingAreTheTenants: what the operator and the tenant set on
// one node holds for the next batch on the other.
func TestSizeAndForwardingAreTheTenants(t *testing.T) {
	t.Parallel()
	one, two := nodes(t, nil)
	n := one.tenant(t)
	there := *n
	there.h = two
	there.seal(t)
	begin := there.report(t)
	refused(t, n.set(t, "audit.seal_batch", "3"), http.StatusForbidden, "settings.operator_only")
	n.adjust(t, one, `{"audit.seal_batch":3}`)
	mustDo(t, n.set(t, "audit.forward", "true"))
	for i := range 7 {
		n.invite(t, fmt.Sprintf("new%d@example.com", i))
	}
	heads := there.evidence(t, s3x.Heads)
	there.seal(t)
	report := there.report(t)
	added, batches := report.Size-begin.Size, there.evidence(t, s3x.Heads)-heads
	if !report.Fits || added < 7 || int64(batches) < (added+2)/3 || // less than three at once are fine
		there.evidence(t, s3x.Records) != batches {
		t.Errorf("%d records in %d batches, %d of them forwarded: %+v", added, batches, there.evidence(t, s3x.Records), report)
	}
}

// TestHowLongRecordsWaitIsTheTenants: the one that wants it soon is sealed, the
// one that waits for an hour when that is over, each on the node that wrote.
func TestHowLongRecordsWaitIsTheTenants(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	soon, late := h.tenant(t), h.tenant(t)
	soon.adjust(t, h, `{"audit.seal_every":"1s"}`)
	late.adjust(t, h, `{"audit.seal_every":"1h"}`)
	late.invite(t, "new@example.com")
	soon.invite(t, "new@example.com")
	h.clock.Advance(time.Minute)
	ctx, stop := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- h.Sealer.Run(ctx) }()
	t.Cleanup(func() { stop(); <-done })
	soon.sealed(t)
	if head := late.evidence(t, s3x.Heads); head != 0 {
		t.Errorf("a minute is an hour: %d heads", head)
	}
	h.clock.Advance(time.Hour)
	late.owner.signIn(t, late) // the sessions have not been used for an hour
	late.sealed(t)
}

// sealed waits until a head is published.
func (n *tenant) sealed(t *testing.T) {
	t.Helper()
	for deadline := time.Now().Add(patience); n.evidence(t, s3x.Heads) == 0; runtime.Gosched() {
		if time.Now().After(deadline) {
			t.Fatal("nothing is sealed")
		}
	}
}

// TestEvidenceIsMadeOfASuspendedTenant: what is recorded of its refusals is
// sealed and published as ever.
func TestEvidenceIsMadeOfASuspendedTenant(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	n := h.tenant(t)
	n.seal(t)
	heads := n.evidence(t, s3x.Heads)
	mustDo(t, h.operator(t).as().post(t, "/v1/tenants/"+n.id.String()+"/suspend", ""))
	refused(t, n.as().get(t, "/v1/me"), http.StatusForbidden, "tenant_suspended")
	n.seal(t)
	if got := n.evidence(t, s3x.Heads); got <= heads { // a slow transaction elsewhere splits what is sealed
		t.Errorf("%d heads, as before", got)
	}
}
