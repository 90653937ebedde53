package service_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/insulahq/insula/modules/files/domain"
	"github.com/insulahq/insula/modules/files/service"
	"github.com/insulahq/insula/platform/op"
	"github.com/insulahq/insula/platform/s3x"
)

// lose has the store lose the content of a file, and a sweep find that out.
func (d *desk) lose(f domain.File) {
	d.t.Helper()
	if err := d.blobs.Delete(d.t.Context(), s3x.TenantKey(d.tenant.Tenant.ID, f.Object)); err != nil {
		d.t.Fatal(err)
	}
	if r := d.mustSweep(); r.Lost != 1 {
		d.t.Fatalf("the sweep of a lost file: %+v", r)
	}
}

// bringBack puts content where that of a file was lost.
func (d *desk) bringBack(f domain.File, content string) {
	d.t.Helper()
	key := s3x.TenantKey(d.tenant.Tenant.ID, f.Object)
	if _, err := d.blobs.Put(d.t.Context(), key, strings.NewReader(content), int64(len(content)), f.ContentType); err != nil {
		d.t.Fatal(err)
	}
}

// TestLostContentComesBack: the operator has put the object back, and the next
// sweep lets the file be read again. A dry one tells so and changes nothing.
func TestLostContentComesBack(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	d.version("beside it", "hello")
	f := d.version("a", "hello")
	d.lose(f)
	if r := d.mustSweep(); !r.Clean() {
		t.Errorf("while it is away: %+v", r)
	}
	d.bringBack(f, "hello")
	if r, entries, err := d.sweep(true); err != nil || r != (service.Report{Found: 1}) || len(entries) != 0 || d.status(f) != domain.Quarantined {
		t.Errorf("dry: %+v, %+v, %v, %s", r, entries, err, d.status(f))
	}
	r, entries, err := d.sweep(false)
	if err != nil || r != (service.Report{Found: 1}) {
		t.Errorf("%+v, %v", r, err)
	}
	if len(entries) != 1 || entries[0].Operation != service.Find.Name || entries[0].Outcome != op.Done || entries[0].Target.ID != f.ID.String() {
		t.Errorf("recorded %+v", entries)
	}
	if d.read(f) != "hello" {
		t.Error("it can not be read")
	}
	if g, err := d.Get(t.Context(), f.ID); err != nil || g.Reason != "" || g.Earlier() {
		t.Errorf("%+v, %v", g, err)
	}
	d.usage(10, 2)
	if r := d.mustSweep(); !r.Clean() {
		t.Errorf("the second time: %+v", r)
	}
}

// TestOtherContentIsNotWhatWasLost, however long it is.
func TestOtherContentIsNotWhatWasLost(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	d.version("beside it", "hello")
	f := d.version("a", "hello")
	d.lose(f)
	for _, other := range []string{"hallo", "hello!", ""} {
		d.bringBack(f, other)
		if r := d.mustSweep(); r != (service.Report{Strange: 1}) {
			t.Errorf("%q: %+v", other, r)
		}
		if _, err := d.Download(t.Context(), f.ID); !errors.Is(err, domain.ErrLost) {
			t.Errorf("%q is served: %v", other, err)
		}
	}
	d.usage(10, 2)
}

// TestLostContentGivesWay: its name was taken while it was away, so it becomes
// an earlier version, and so do those that it had itself.
func TestLostContentGivesWay(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	first := d.version("a", "first")
	d.clock.Advance(time.Minute)
	lost := d.version("a", "second")
	d.lose(lost)
	d.clock.Advance(time.Minute)
	newest := d.version("a", "third")
	d.bringBack(lost, "second")
	if r := d.mustSweep(); r != (service.Report{Found: 1}) {
		t.Fatalf("%+v", r)
	}
	if line := d.line(newest); len(line) != 3 || line[0].ID != newest.ID || line[1].ID != lost.ID || line[2].ID != first.ID || !line[1].Earlier() {
		t.Errorf("versions %+v", line)
	}
	if d.read(lost) != "second" || d.read(newest) != "third" {
		t.Error("a version can not be read")
	}
	d.usage(5+6+5, 3)
}

// TestLostContentSharesTheFateOfItsLine: deleted with the other versions, it
// comes back with them, as lost as before; and is purged with them.
func TestLostContentSharesTheFateOfItsLine(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	first := d.version("a", "first")
	d.clock.Advance(time.Minute)
	lost := d.version("a", "second")
	d.lose(lost)
	if err := d.Delete(t.Context(), lost.ID, domain.AnyVersion); err != nil {
		t.Fatal(err)
	}
	if d.status(first) != domain.Deleted || d.status(lost) != domain.Deleted {
		t.Errorf("deleted: %s, %s", d.status(first), d.status(lost))
	}
	if _, err := d.Undelete(t.Context(), lost.ID); err != nil {
		t.Fatal(err)
	}
	if _, err := d.Download(t.Context(), lost.ID); !errors.Is(err, domain.ErrLost) || d.status(first) != domain.Ready {
		t.Errorf("back again: %v, %s", err, d.status(first))
	}
	d.bringBack(lost, "second")
	if r := d.mustSweep(); r != (service.Report{Found: 1}) || d.read(lost) != "second" {
		t.Errorf("found: %+v", r)
	}
	if line := d.line(first); len(line) != 2 || line[0].ID != lost.ID || line[0].Earlier() {
		t.Errorf("versions %+v", line)
	}
	d.lose(lost)
	for range 2 { // the second time for good
		if err := d.Delete(t.Context(), lost.ID, domain.AnyVersion); err != nil {
			t.Fatal(err)
		}
	}
	d.nothingLeft()
	d.usage(0, 0)
}

// TestALineHasOneHead, also when that is lost: the version that is restored
// takes its place, and deleting the lost one later takes no other along.
func TestALineHasOneHead(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	first, lost := d.version("a", "first"), d.version("a", "second")
	d.lose(lost)
	if _, err := d.Restore(t.Context(), first.ID); err != nil {
		t.Fatal(err)
	}
	if line := d.line(first); len(line) != 2 || line[0].ID != lost.ID || !line[0].Earlier() || line[1].Earlier() {
		t.Errorf("versions %+v", line)
	}
	if err := d.Delete(t.Context(), lost.ID, domain.AnyVersion); err != nil {
		t.Fatal(err)
	}
	if d.status(first) != domain.Ready || d.status(lost) != domain.Deleted {
		t.Errorf("%s, and the lost one %s", d.status(first), d.status(lost))
	}
}

// TestAVersionComesBackBesideALostHead as an earlier version of it, and a lost
// one without a head as the head.
func TestAVersionComesBackBesideALostHead(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	first, lost := d.version("a", "first"), d.version("a", "second")
	if err := d.Delete(t.Context(), first.ID, domain.AnyVersion); err != nil {
		t.Fatal(err)
	}
	d.version("beside it", "hello")
	d.lose(lost)
	if back, err := d.Undelete(t.Context(), first.ID); err != nil || !back.Earlier() {
		t.Errorf("beside the lost head: %+v, %v", back, err)
	}
	if _, err := d.Restore(t.Context(), first.ID); err != nil {
		t.Fatal(err)
	}
	for _, f := range []domain.File{lost, first, first} { // the last time for good
		if err := d.Delete(t.Context(), f.ID, domain.AnyVersion); err != nil {
			t.Fatal(err)
		}
		d.clock.Advance(time.Second)
	}
	if back, err := d.Undelete(t.Context(), lost.ID); err != nil || back.Earlier() || !back.Lost() {
		t.Errorf("without a head: %+v, %v", back, err)
	}
}

// TestLostContentIsGoneBeforeASweepHasSeenIt: to who asks for it by its id, and
// by a link like anything that leads nowhere; and the log has it.
func TestLostContentIsGoneBeforeASweepHasSeenIt(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	f := d.version("a", "hello")
	share, err := d.CreateShare(t.Context(), f.ID, domain.Sharing{Life: time.Hour})
	if err != nil {
		t.Fatal(err)
	}
	if err := d.blobs.Delete(t.Context(), s3x.TenantKey(d.tenant.Tenant.ID, f.Object)); err != nil {
		t.Fatal(err)
	}
	r, err := d.Download(t.Context(), f.ID)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := r.Open(t.Context(), 0, f.Size); !errors.Is(err, domain.ErrLost) {
		t.Errorf("by its id: %v", err)
	}
	if r, err = d.OpenShare(t.Context(), share.Token); err != nil {
		t.Fatal(err)
	}
	if _, err := r.Open(t.Context(), 0, f.Size); !errors.Is(err, domain.ErrShareNotFound) {
		t.Errorf("by a link: %v", err)
	}
	if !strings.Contains(d.log.String(), f.Object.String()) {
		t.Errorf("not logged: %s", d.log)
	}
}
