package service_test

import (
	"testing"

	"github.com/google/uuid"

	"github.com/insulahq/insula/modules/audit"
	"github.com/insulahq/insula/modules/audit/domain"
	"github.com/insulahq/insula/modules/audit/infra"
	"github.com/insulahq/insula/platform/page"
	"github.com/insulahq/insula/platform/uow"
)

// find lists the targets of what a search by text finds.
func (r *trail) find(t *testing.T, s domain.Spec) (targets []string) {
	t.Helper()
	r.Read(t, func(tx uow.Tx) error {
		found, err := infra.NewRepository().List(t.Context(), tx, s, page.Request{Limit: 100})
		targets = nil
		for _, e := range found.Items {
			if !s.Finds(e) {
				t.Errorf("%q finds %s -> %s", s.Text, e.Before, e.After)
			}
			targets = append(targets, e.Target.ID)
		}
		return err
	})
	return targets
}

func TestRecordsAreFoundByTheWordsOfTheirChanges(t *testing.T) {
	t.Parallel()
	r := newTrail(t, audit.Policy{Batch: 10})
	r.record(t, 5)
	e := r.entry()
	e.After = map[string]any{"email": "Grace.Hopper@navy.example", "ranks": []string{"Rear Admiral"}}
	r.Write(t, func(tx uow.Tx) error { return r.recorder.Record(t.Context(), tx, e) })
	if got := r.find(t, domain.Spec{Text: "grace"}); len(got) != 0 {
		t.Errorf("before they are sealed %v are found", got)
	}
	r.seal(t, 6)
	for text, want := range map[string]int{
		"GRACE": 6, "grace 3": 1, "hopper": 1, "grace.hopper@navy.example": 1, "admiral navy": 1, "name": 6, "hopp": 0,
		"email": 0, "grace nobody": 0, `"admiral"`: 1, "1.5": 6,
	} {
		if got := r.find(t, domain.Spec{Text: text}); len(got) != want {
			t.Errorf("%q finds %v, want %d", text, got, want)
		}
	}
	if got := r.find(t, domain.Spec{Text: "grace", TargetID: "3"}); len(got) != 1 {
		t.Errorf("with another filter: %v", got)
	}
	someone := uuid.Max
	if got := r.find(t, domain.Spec{Text: "grace", Actor: &someone}); len(got) != 0 {
		t.Errorf("of somebody else: %v", got)
	}
	r.clock.Advance(1000 * 60 * 60 * 1e9 * 24)
	if n, err := r.retention(audit.Policy{Keep: 1}).Expire(t.Context(), r.Tenant); err != nil || n != 6 {
		t.Fatalf("removed %d, %v", n, err)
	}
	if got := r.find(t, domain.Spec{Text: "grace"}); len(got) != 0 {
		t.Errorf("after their removal %v are found", got)
	}
	if left := r.BehindTheWall(t, "SELECT FROM audit_words"); left != 0 {
		t.Errorf("%d words are left", left)
	}
}
