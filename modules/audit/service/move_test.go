package service_test

import (
	"testing"

	"github.com/insulahq/insula/modules/audit"
	"github.com/insulahq/insula/modules/audit/domain"
	"github.com/insulahq/insula/platform/pgtest"
	"github.com/insulahq/insula/platform/tenancy"
)

// A tenant that moves takes its trail along: what was sealed stays so, heads of
// before remain true, and what was not is sealed where the tenant is then. The
// way back leads to a server whose transactions the newest seal still counts.
func TestTheTrailMovesAlong(t *testing.T) {
	t.Parallel()
	f, there := pgtest.Tenant(t), pgtest.Elsewhere(t)
	f.Pool = there.Pool
	r := trailOf(t, f, audit.Policy{Batch: 10})
	r.record(t, 12)
	r.seal(t, 12)
	before := r.verify(t)
	head, err := domain.OpenHead(before.Head, before.PublicKey)
	if err != nil {
		t.Fatal(err)
	}
	kept := domain.Checkpoint{Head: head, Source: "before the moves"}
	whole := func(size, unsealed int64) {
		t.Helper()
		report := r.verify(t, kept)
		if report.Finding != nil || report.Size != size || report.Unsealed != unsealed {
			t.Errorf("%+v, %v; want %d sealed and %d not", report, report.Finding, size, unsealed)
		}
		proven, err := r.evidence(t).Prove(t.Context(), r.idOf(t, 3))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := proven.Proof.Check(report.PublicKey); err != nil || proven.Proof.Number != 3 {
			t.Errorf("an old record: %v", err)
		}
	}

	r.record(t, 5)
	there.Move(t, r.Tenant, there.Name)
	whole(12, 5)
	r.record(t, 3)
	whole(12, 8)

	there.Move(t, r.Tenant, tenancy.MainPlacement) // with nothing sealed there
	r.record(t, 4)
	r.seal(t, 24)
	whole(24, 0)

	there.Move(t, r.Tenant, there.Name)
	r.record(t, 25)
	r.seal(t, 49)
	whole(49, 0)
	r.record(t, 2)
	there.Move(t, r.Tenant, tenancy.MainPlacement)
	r.record(t, 2)
	r.seal(t, 53)
	whole(53, 0)
}
