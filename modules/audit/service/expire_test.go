package service_test

import (
	"testing"
	"time"

	"log/slog"

	"github.com/insulahq/insula/modules/audit"
	"github.com/insulahq/insula/modules/audit/domain"
	"github.com/insulahq/insula/modules/audit/service"
	"github.com/insulahq/insula/platform/id"
	"github.com/insulahq/insula/platform/op"
	"github.com/insulahq/insula/platform/optest"
	"github.com/insulahq/insula/platform/uow"
)

func (r *trail) retention(p audit.Policy) *service.Retention {
	jobs := op.NewJobs(r.Pool, optest.Allow{}, r.recorder, r.clock, id.System{}, slog.New(slog.DiscardHandler))
	return service.NewRetention(jobs, r.tree, (*current)(&p), r.clock)
}

func TestWhatIsTooOldIsRemovedAndTheRestStaysProven(t *testing.T) {
	t.Parallel()
	const day = 24 * time.Hour
	r := newTrail(t, audit.Policy{Batch: 10})
	r.record(t, 13)
	r.seal(t, 13)
	r.clock.Advance(40 * day)
	r.record(t, 12)
	r.seal(t, 25)
	old := r.verify(t)
	for name, p := range map[string]audit.Policy{
		"kept for ever": {}, "kept for long": {Keep: 90 * day}, "legal hold": {Keep: 30 * day, Hold: true},
	} {
		if due, err := r.retention(p).Due(t.Context(), r.Tenant); err != nil || due {
			t.Errorf("%s: due %v, %v", name, due, err)
		}
		if n, err := r.retention(p).Expire(t.Context(), r.Tenant); err != nil || p.Hold && n != 0 {
			t.Errorf("%s: removed %d, %v", name, n, err)
		}
	}
	s := r.retention(audit.Policy{Keep: 30 * day})
	if due, err := s.Due(t.Context(), r.Tenant); err != nil || !due {
		t.Fatalf("due %v, %v", due, err)
	}
	if n, err := s.Expire(t.Context(), r.Tenant); err != nil || n != 13 {
		t.Fatalf("removed %d, %v", n, err)
	}
	if due, err := s.Due(t.Context(), r.Tenant); err != nil || due {
		t.Fatalf("due again: %v, %v", due, err)
	}
	for range 2 { // before and after the record of the removal is sealed
		report := r.verify(t)
		if report.Finding != nil || report.Size < old.Size || report.Removed != 13 {
			t.Fatalf("%+v, %v", report, report.Finding)
		}
		proven, err := r.evidence(t).Prove(t.Context(), r.idOf(t, 20))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := proven.Proof.Check(report.PublicKey); err != nil {
			t.Error(err)
		}
		r.seal(t, 26)
	}
	head, err := domain.OpenHead(old.Head, old.PublicKey)
	if err != nil {
		t.Fatal(err)
	}
	if report := r.verify(t, domain.Checkpoint{Head: head, Source: "the auditor"}); report.Finding != nil {
		t.Errorf("the head from before the removal: %v", report.Finding)
	}
	r.attack(t, "UPDATE audit_events SET operation = 'audit.expired' WHERE operation = 'audit.expire'")
	if f := r.verify(t).Finding; f == nil {
		t.Error("the record of the removal was taken away, and nothing found")
	}
}

func TestOnlyRetentionRemoves(t *testing.T) {
	t.Parallel()
	r := newTrail(t, audit.Policy{Batch: 10})
	r.record(t, 5)
	r.seal(t, 5)
	var first []domain.Numbered
	r.Read(t, func(tx uow.Tx) (err error) {
		first, err = r.tree.Sealed(t.Context(), tx, 0, 2)
		return err
	})
	if err := r.Unit().Read(t.Context(), func(tx uow.Tx) error { return r.tree.Remove(t.Context(), tx, first) }); err == nil {
		t.Error("removed while reading")
	}
	err := r.Unit().Write(t.Context(), func(tx uow.Tx) error {
		if err := r.tree.Remove(t.Context(), tx, first); err != nil {
			return err
		}
		return r.recorder.Record(t.Context(), tx, r.entry()) // with the rights of the tenant again
	})
	if err != nil {
		t.Fatal(err)
	}
}
