package service_test

import (
	"bytes"
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/insulahq/insula/modules/files/domain"
	"github.com/insulahq/insula/modules/files/infra"
	"github.com/insulahq/insula/modules/files/service"
	"github.com/insulahq/insula/platform/authn"
	"github.com/insulahq/insula/platform/errs"
	"github.com/insulahq/insula/platform/op"
	"github.com/insulahq/insula/platform/optest"
	"github.com/insulahq/insula/platform/s3x"
	"github.com/insulahq/insula/platform/s3x/s3test"
	"github.com/insulahq/insula/platform/scope"
	"github.com/insulahq/insula/platform/setting"
	"github.com/insulahq/insula/platform/tenancy"
)

// TestSweepTellsWhatItDid: what somebody deletes while the sweep looks at it is
// not reported as lost.
func TestSweepTellsWhatItDid(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	d.version("healthy", "hello")
	f := d.version("a", "gone")
	if err := d.blobs.Delete(t.Context(), s3x.TenantKey(d.tenant.Tenant.ID, f.Object)); err != nil {
		t.Fatal(err)
	}
	s := service.NewSweeper(func(tn tenancy.Tenant, def op.Def) *service.Files {
		if def.Name == service.Lose.Name {
			if err := d.Delete(t.Context(), f.ID, domain.AnyVersion); err != nil {
				t.Error(err)
			}
		}
		run, _ := optest.Runner(t, scope.Request{Tenant: tn, Caller: authn.Caller{Kind: authn.Job, Label: def.Name}}, d.tenant.Unit(), d.clock)
		return service.New(run, d.policy, d.parties)
	}, func(context.Context, tenancy.Tenant) (v setting.Values, err error) { return v, nil }, d.clock, d.parties.Log)
	if r, err := s.Sweep(t.Context(), d.tenant.Tenant, false); err != nil || !r.Clean() || strings.Contains(d.log.String(), "is lost") {
		t.Errorf("%+v, %v, %s", r, err, d.log)
	}
}

// sweep sweeps the desk's tenant, and returns the records that it leaves.
func (d *desk) sweep(dry bool) (service.Report, []op.Entry, error) {
	d.t.Helper()
	var all []*optest.Records
	s := service.NewSweeper(func(t tenancy.Tenant, def op.Def) *service.Files {
		run, records := optest.Runner(d.t, scope.Request{Tenant: t, Caller: authn.Caller{Kind: authn.Job, Label: def.Name}}, d.tenant.Unit(), d.clock)
		all = append(all, records)
		return service.New(run, d.policy, d.parties)
	}, func(context.Context, tenancy.Tenant) (v setting.Values, err error) { return v, nil }, d.clock, d.parties.Log).By(3)
	r, err := s.Sweep(d.t.Context(), d.tenant.Tenant, dry)
	var entries []op.Entry
	for _, records := range all {
		entries = append(entries, records.Entries()...)
	}
	return r, entries, err
}

func (d *desk) mustSweep() service.Report {
	d.t.Helper()
	r, _, err := d.sweep(false)
	if err != nil {
		d.t.Fatal(err)
	}
	return r
}

// litter leaves one of everything that a sweep looks for, and one healthy file.
func (d *desk) litter() (healthy, lost domain.File) {
	d.t.Helper()
	ctx := d.t.Context()
	healthy = d.version("healthy", "hello")
	lost = d.version("lost", "gone")
	if err := d.blobs.Delete(ctx, s3x.TenantKey(d.tenant.Tenant.ID, lost.Object)); err != nil {
		d.t.Fatal(err)
	}
	deleted := d.version("deleted", "bye")
	if err := d.Delete(ctx, deleted.ID, domain.AnyVersion); err != nil {
		d.t.Fatal(err)
	}
	s := d.declare(domain.Declaration{Name: "given up", Size: mega + 1})
	d.sendParts(s.File, make([]byte, mega+1), 1)
	d.create("never sent", 7)
	stray := s3x.TenantKey(d.tenant.Tenant.ID, d.parties.IDs.New())
	if _, err := d.blobs.Put(ctx, stray, strings.NewReader("stray"), 5, "text/plain"); err != nil {
		d.t.Fatal(err)
	}
	if _, err := d.blobs.Begin(ctx, s3x.TenantKey(d.tenant.Tenant.ID, d.parties.IDs.New()), "text/plain"); err != nil {
		d.t.Fatal(err)
	}
	return healthy, lost
}

func TestSweep(t *testing.T) {
	t.Parallel()
	d := newDesk(t).with(direct)
	healthy, lost := d.litter()
	walled := []s3x.Key{
		s3x.TenantKey(uuid.New(), d.parties.IDs.New()),
		s3x.EvidenceKey(d.tenant.Tenant.ID, s3x.Heads, 1), s3x.EvidenceKey(d.tenant.Tenant.ID, s3x.Records, 1),
	}
	for _, key := range walled {
		if _, err := d.blobs.Put(t.Context(), key, strings.NewReader("theirs"), 6, "text/plain"); err != nil {
			t.Fatal(err)
		}
	}
	theirs, err := d.blobs.Begin(t.Context(), walled[0], "text/plain")
	if err != nil {
		t.Fatal(err)
	}
	if r := d.mustSweep(); r != (service.Report{Lost: 1}) {
		t.Errorf("while everything is young: %+v", r)
	}
	if f, err := d.Get(t.Context(), lost.ID); err != nil || f.Status != domain.Quarantined || f.Reason != domain.ReasonLost {
		t.Errorf("lost: %+v, %v", f, err)
	}
	if _, err := d.Download(t.Context(), lost.ID); !errors.Is(err, domain.ErrLost) {
		t.Errorf("reading what is lost: %v", err)
	}
	d.clock.Advance(26 * time.Hour)
	want := service.Report{Uploads: 2, Deletions: 1, Strays: 1, Bytes: 5, Parts: 1}
	if r, entries, err := d.sweep(true); err != nil || r != want || len(entries) != 0 {
		t.Errorf("dry: %+v, %+v, %v", r, entries, err)
	}
	r, entries, err := d.sweep(false)
	if err != nil || r != want {
		t.Errorf("swept %+v, %v", r, err)
	}
	told := map[string]int{}
	for _, e := range entries {
		told[e.Operation]++
	}
	if len(told) != 3 || told[service.GiveUp.Name] != 2 || told[service.Purge.Name] != 1 || told[service.Clear.Name] != 1 {
		t.Errorf("recorded %v", told)
	}
	d.nothingLeft(healthy)
	d.usage(5+4, 2)
	if r := d.mustSweep(); !r.Clean() {
		t.Errorf("the second time: %+v", r)
	}
	if d.read(healthy) != "hello" {
		t.Error("a healthy file was touched")
	}
	for _, key := range walled {
		if _, err := d.blobs.Head(t.Context(), key); err != nil {
			t.Errorf("%s is not this sweep's: %v", key, err)
		}
	}
	if _, err := d.blobs.Parts(t.Context(), walled[0], theirs); err != nil {
		t.Errorf("another tenant's upload: %v", err)
	}
}

func TestSweepWithTheStoreAwayTakesNothingForLost(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	f := d.version("a", "hello")
	given := d.create("b", 5)
	d.clock.Advance(26 * time.Hour)
	d.blobs.FailWith(s3x.ErrUnavailable)
	r, _, err := d.sweep(false)
	if !errors.Is(err, errs.ErrUnavailable) || r != (service.Report{Uploads: 1}) {
		t.Errorf("%+v, %v", r, err)
	}
	if _, err := d.Get(t.Context(), given.ID); !errors.Is(err, domain.ErrNotFound) {
		t.Errorf("what needs no store was not done: %v", err)
	}
	d.blobs.FailWith(nil)
	if d.read(f) != "hello" {
		t.Error("a file became unreadable")
	}
}

// TestSweepOfAnotherBucketTakesNothingForLost: a store that has nothing at all
// of a tenant with files is not the one that they were sent to.
func TestSweepOfAnotherBucketTakesNothingForLost(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	f, g := d.version("a", "hello"), d.version("b", "hello")
	right := d.parties.Contents
	d = d.with(func(_ *domain.Policy, p *service.Parties) {
		p.Contents = infra.NewContents(s3test.NewMemory(t, d.clock), scope.Request{Tenant: d.tenant.Tenant})
	})
	if r, _, err := d.sweep(false); !errors.Is(err, service.ErrEmptyStore) || !r.Clean() {
		t.Errorf("%+v, %v", r, err)
	}
	d = d.with(func(_ *domain.Policy, p *service.Parties) { p.Contents = right })
	if r := d.mustSweep(); !r.Clean() || d.read(f) != "hello" || d.read(g) != "hello" {
		t.Errorf("in the right one: %+v", r)
	}
}

func TestSweepQueuesWhatNobodyDecidedAbout(t *testing.T) {
	t.Parallel()
	g := &guard{}
	d := newDesk(t).with(func(_ *domain.Policy, p *service.Parties) { p.Scanner = g })
	f, err := d.upload(d.create("a", 5), "hello")
	if err != nil {
		t.Fatal(err)
	}
	g.err = errs.ErrUnavailable
	if done, err := d.work(); err == nil || done != 1 { // and the queue gives up
		t.Fatalf("%d, %v", done, err)
	}
	if r := d.mustSweep(); !r.Clean() {
		t.Errorf("at once: %+v", r)
	}
	d.clock.Advance(4 * time.Hour)
	if r := d.mustSweep(); r != (service.Report{Requeued: 1}) {
		t.Errorf("later: %+v", r)
	}
	g.err = nil
	if done, err := d.work(); err != nil || done != 1 || d.status(f) != domain.Ready {
		t.Errorf("%d pieces of work, %s, %v", done, d.status(f), err)
	}
}

// TestSweepAmongMany walks through more rows and objects than one page has.
func TestSweepAmongMany(t *testing.T) {
	t.Parallel()
	d := newDesk(t).with(func(p *domain.Policy, _ *service.Parties) { p.QuotaFiles = 10_000 })
	many := 20
	for i := range many {
		d.version(strings.Repeat("x", i+1), "x")
		key := s3x.TenantKey(d.tenant.Tenant.ID, d.parties.IDs.New())
		if _, err := d.blobs.Put(t.Context(), key, bytes.NewReader([]byte("s")), 1, "text/plain"); err != nil {
			t.Fatal(err)
		}
	}
	d.clock.Advance(26 * time.Hour)
	if r := d.mustSweep(); r != (service.Report{Strays: many, Bytes: int64(many)}) {
		t.Errorf("%+v", r)
	}
	if n := len(d.objects()); n != many {
		t.Errorf("%d objects are left", n)
	}
}
