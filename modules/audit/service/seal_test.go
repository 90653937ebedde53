package service_test

import (
	"bytes"
	"context"
	"testing"
	"time"

	"github.com/insulahq/insula/modules/audit"
	"github.com/insulahq/insula/modules/audit/domain"
	"github.com/insulahq/insula/modules/audit/service"
	"github.com/insulahq/insula/platform/s3x"
	"github.com/insulahq/insula/platform/tenancy"
)

// current is the policy of a tenant whose settings change.
type current audit.Policy

func (c *current) PolicyOf(context.Context, tenancy.Tenant) (audit.Policy, error) {
	return audit.Policy(*c), nil
}

// due seals what is due and says how much it was.
func (r *trail) due(t *testing.T) int64 {
	t.Helper()
	p, err := r.sealing.Seal(t.Context(), r.Tenant, service.Due)
	if err != nil {
		t.Fatal(err)
	}
	return p.Sealed
}

// TestSealingFollowsThePolicyOfTheMoment: how long records wait, and how many
// are sealed together.
func TestSealingFollowsThePolicyOfTheMoment(t *testing.T) {
	t.Parallel()
	r := newTrail(t, audit.Policy{Every: time.Minute, Batch: 4})
	sealed := func(when string, want int64) {
		t.Helper()
		if got := r.due(t); got != want {
			t.Errorf("%s: %d are sealed, want %d", when, got, want)
		}
	}
	r.record(t, 3) // a second apart
	r.settle(t, 3)
	sealed("too soon", 0)
	r.policy.Every = 3 * time.Second
	sealed("the oldest is two seconds old", 0)
	r.policy.Every = 2 * time.Second
	sealed("long enough", 3)

	r.policy.Every = time.Hour
	r.record(t, 5)
	r.settle(t, 8)
	sealed("as many as go into one", 4)
	sealed("one is left", 0)
	r.clock.Advance(time.Hour)
	sealed("an hour later", 1)

	r.policy.Batch = 2
	r.record(t, 3)
	r.settle(t, 11)
	sealed("smaller ones", 2)
	if report := r.verify(t); report.Finding != nil || report.Size != 10 || report.Unsealed != 1 {
		t.Errorf("%+v", report)
	}
}

// TestForwardingBeginsWithTheNextBatch and keeps the records as they are
// exported.
func TestForwardingBeginsWithTheNextBatch(t *testing.T) {
	t.Parallel()
	r := newTrail(t, audit.Policy{Batch: 4})
	r.record(t, 4)
	r.seal(t, 4)
	r.policy.Forward = true
	r.record(t, 6)
	r.seal(t, 10)
	r.policy.Forward = false
	r.record(t, 2)
	r.seal(t, 12)
	var kept bytes.Buffer
	for size, err := range r.blobs.ListEvidence(t.Context(), r.Tenant.ID, s3x.Records, 0) {
		if err != nil {
			t.Fatal(err)
		}
		object, err := r.blobs.Get(t.Context(), s3x.EvidenceKey(r.Tenant.ID, s3x.Records, size), s3x.Range{})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := kept.ReadFrom(object); err != nil {
			t.Fatal(err)
		}
	}
	var exported bytes.Buffer
	err := r.evidence(t).Export(t.Context(), domain.Spec{}, func(e domain.Event, number *int64) error {
		if number == nil || *number < 4 || *number >= 10 {
			return nil
		}
		line, err := domain.ExportLine(e, number)
		exported.Write(append(line, '\n'))
		return err
	})
	if err != nil || exported.Len() == 0 || !bytes.Equal(kept.Bytes(), exported.Bytes()) {
		t.Errorf("kept\n%s\nexported\n%s\n%v", &kept, &exported, err)
	}
}
