package service_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"strings"
	"testing"

	"github.com/insulahq/insula/modules/files/domain"
	"github.com/insulahq/insula/modules/files/service"
	"github.com/insulahq/insula/platform/errs"
	"github.com/insulahq/insula/platform/pg"
	"github.com/insulahq/insula/platform/s3x"
)

// guard is a scanner that finds what it is told to find.
type guard struct {
	finding string
	err     error
	seen    strings.Builder
}

func (g *guard) Scan(_ context.Context, r io.Reader) (string, error) {
	if g.err != nil {
		return "", g.err
	}
	_, err := io.Copy(&g.seen, r)
	return g.finding, err
}

// work does what waits in the outbox, and returns how it went.
func (d *desk) work() (done int, failed error) {
	d.t.Helper()
	var all []pg.Work
	_, err := d.outbox.Hand(d.t.Context(), d.tenant.Tenant, func(_ context.Context, w []pg.Work) error {
		all = w
		return nil
	})
	if err != nil {
		d.t.Fatal(err)
	}
	for _, w := range all {
		var x service.Examination
		if err := json.Unmarshal(w.Args, &x); err != nil || w.Operation != service.Examine.Name {
			d.t.Fatalf("%+v, %v", w, err)
		}
		failed = errors.Join(failed, d.Examine(d.t.Context(), x))
	}
	return len(all), failed
}

func TestAScannerDecides(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		finding string
		status  domain.Status
	}{"nothing is found": {"", domain.Ready}, "something is found": {"Worm.Test", domain.Quarantined}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			g := &guard{finding: tc.finding}
			d := newDesk(t).with(direct).with(func(_ *domain.Policy, p *service.Parties) { p.Scanner = g })
			through, err := d.upload(d.create("a", 5), "hello")
			if err != nil || through.Status != domain.Scanning {
				t.Fatalf("%+v, %v", through, err)
			}
			s := d.declare(domain.Declaration{Name: "b", Size: 5, SHA256: sumOf([]byte("world"))})
			send(t, *s.Link, []byte("world"))
			if f, err := d.complete(s.File); err != nil || f.Status != domain.Scanning {
				t.Fatalf("%+v, %v", f, err)
			}
			if _, err := d.Download(t.Context(), through.ID); !errors.Is(err, domain.ErrNotReady) {
				t.Errorf("read before it was scanned: %v", err)
			}
			if done, err := d.work(); err != nil || done != 2 {
				t.Fatalf("%d pieces of work, %v", done, err)
			}
			if g.seen.String() != "helloworld" {
				t.Errorf("the scanner saw %q", g.seen.String())
			}
			for _, f := range []domain.File{through, s.File} {
				got, err := d.Get(t.Context(), f.ID)
				if err != nil || got.Status != tc.status || got.Reason != tc.finding || got.SHA256 == nil {
					t.Errorf("%+v, %v", got, err)
				}
				if _, err := d.Download(t.Context(), f.ID); (err == nil) != (tc.status == domain.Ready) {
					t.Errorf("%s: %v", got.Status, err)
				}
			}
		})
	}
}

func TestContentIsHeldWhileTheScannerIsAway(t *testing.T) {
	t.Parallel()
	g := &guard{err: errs.ErrUnavailable}
	d := newDesk(t).with(func(_ *domain.Policy, p *service.Parties) { p.Scanner = g })
	f, err := d.upload(d.create("a", 5), "hello")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := d.work(); !errors.Is(err, errs.ErrUnavailable) || d.status(f) != domain.Scanning {
		t.Errorf("%s, %v", d.status(f), err)
	}
	g.err = nil
	x := service.Examination{File: f.ID, Object: f.Object}
	for range 2 { // the second time it is done already
		if err := d.Examine(t.Context(), x); err != nil || d.status(f) != domain.Ready {
			t.Errorf("%s, %v", d.status(f), err)
		}
	}
}

// TestLargeContentIsReadLater: its checksum is checked where nobody waits.
func TestLargeContentIsReadLater(t *testing.T) {
	t.Parallel()
	good := bytes.Repeat([]byte("good"), mega/4+1)
	for name, tc := range map[string]struct {
		sent   []byte
		status domain.Status
		reason string
	}{
		"as declared": {good, domain.Ready, ""},
		"other":       {bytes.Repeat([]byte("evil"), mega/4+1), domain.Pending, domain.ErrChecksum.Code},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := newDesk(t).with(direct).with(func(p *domain.Policy, _ *service.Parties) { p.Inline = 10 })
			s := d.declare(domain.Declaration{Name: "a", Size: int64(len(good)), SHA256: sumOf(good)})
			d.sendParts(s.File, tc.sent, 1, 2)
			if f, err := d.complete(s.File); err != nil || f.Status != domain.Scanning || f.SHA256 != nil {
				t.Fatalf("%+v, %v", f, err)
			}
			if err := d.Abort(t.Context(), s.File.ID); !errors.Is(err, domain.ErrFilled) {
				t.Errorf("abort while it is read: %v", err)
			}
			if done, err := d.work(); err != nil || done != 1 {
				t.Fatalf("%d pieces of work, %v", done, err)
			}
			f, err := d.Get(t.Context(), s.File.ID)
			if err != nil || f.Status != tc.status || f.Reason != tc.reason {
				t.Fatalf("%+v, %v", f, err)
			}
			if tc.status == domain.Ready {
				d.nothingLeft(f)
				return
			}
			d.nothingLeft()
			if _, err := d.complete(s.File); !errors.Is(err, domain.ErrIncomplete) {
				t.Errorf("complete without sending again: %v", err)
			}
			d.sendParts(s.File, good, 1, 2)
			if f, err := d.complete(s.File); err != nil || f.Status != domain.Scanning {
				t.Errorf("sent again: %+v, %v", f, err)
			}
		})
	}
}

func TestExamineOfWhatIsGone(t *testing.T) {
	t.Parallel()
	g := &guard{}
	d := newDesk(t).with(func(_ *domain.Policy, p *service.Parties) { p.Scanner = g })
	lost, err := d.upload(d.create("a", 5), "hello")
	if err != nil {
		t.Fatal(err)
	}
	deleted, err := d.upload(d.create("b", 5), "hello")
	if err != nil {
		t.Fatal(err)
	}
	if err := d.blobs.Delete(t.Context(), s3x.TenantKey(d.tenant.Tenant.ID, lost.Object)); err != nil {
		t.Fatal(err)
	}
	if err := d.Delete(t.Context(), deleted.ID, domain.AnyVersion); err != nil {
		t.Fatal(err)
	}
	if done, err := d.work(); err != nil || done != 2 {
		t.Errorf("%d pieces of work, %v", done, err)
	}
	if f, err := d.Get(t.Context(), lost.ID); err != nil || f.Status != domain.Pending || f.Reason != domain.ErrIncomplete.Code {
		t.Errorf("%+v, %v", f, err)
	}
}
