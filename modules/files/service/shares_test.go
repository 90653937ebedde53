package service_test

import (
	"errors"
	"io"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/insulahq/insula/modules/files/domain"
	"github.com/insulahq/insula/modules/files/service"
	"github.com/insulahq/insula/platform/errs"
	"github.com/insulahq/insula/platform/op"
	"github.com/insulahq/insula/platform/optest"
	"github.com/insulahq/insula/platform/page"
	"github.com/insulahq/insula/platform/s3x"
	"github.com/insulahq/insula/platform/scope"
	"github.com/insulahq/insula/platform/secret"
	"github.com/insulahq/insula/platform/uow"
)

// stranger is somebody without an account.
func (d *desk) stranger() *desk {
	next := *d
	next.run, next.records = optest.Runner(d.t, scope.Request{Tenant: d.tenant.Tenant}, d.tenant.Unit(), d.clock)
	next.Files = service.New(next.run, next.policy, next.parties)
	return &next
}

func (d *desk) share(f domain.File, in domain.Sharing) service.CreatedShare {
	d.t.Helper()
	s, err := d.CreateShare(d.t.Context(), f.ID, in)
	if err != nil {
		d.t.Fatal(err)
	}
	return s
}

// follows reads what a share leads to.
func (d *desk) follows(s service.CreatedShare) (string, error) {
	d.t.Helper()
	r, err := d.OpenShare(d.t.Context(), s.Token)
	if err != nil {
		return "", err
	}
	body, err := r.Open(d.t.Context(), 0, r.File.Size)
	if err != nil {
		return "", err
	}
	defer body.Close()
	if err := r.Begin(d.t.Context()); err != nil {
		return "", err
	}
	text, err := io.ReadAll(body)
	return string(text), err
}

func (d *desk) shares(f domain.File) []domain.Share {
	d.t.Helper()
	p, err := d.Shares(d.t.Context(), f.ID, page.Request{Limit: 10})
	if err != nil {
		d.t.Fatal(err)
	}
	return p.Items
}

func TestAShareLetsAStrangerRead(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	f := d.ready("hello")
	s := d.share(f, domain.Sharing{Life: time.Hour})
	if len(s.Token.Reveal()) != 43 || s.Digest != secret.DigestOf(s.Token) {
		t.Errorf("token of %d characters", len(s.Token.Reveal()))
	}
	anybody := d.stranger()
	for range 2 {
		if got, err := anybody.follows(s); err != nil || got != "hello" {
			t.Errorf("read %q, %v", got, err)
		}
	}
	entries := anybody.records.Entries()
	if len(entries) != 2 || entries[1].Operation != service.OpenShare.Name || entries[1].Outcome != op.Done || entries[1].Target.ID != s.ID.String() {
		t.Errorf("recorded %+v", entries)
	}
	if _, err := anybody.OpenShare(t.Context(), s.Token); err != nil {
		t.Errorf("asking without reading: %v", err)
	}
	if all := d.shares(f); len(all) != 1 || all[0].Opened != 2 || all[0].State(d.clock.Now()) != domain.ShareOpen {
		t.Errorf("listed %+v", all)
	}
}

// TestAShareThatLeadsNowhere: every reason is answered alike, and a stranger
// who tries leaves a record, which names the share if there is one.
func TestAShareThatLeadsNowhere(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	hour := domain.Sharing{Life: time.Hour}
	f, deleted, lost := d.version("a", "hello"), d.version("b", "hello"), d.version("c", "hello")
	expired := d.share(f, domain.Sharing{Life: time.Minute})
	d.clock.Advance(time.Minute)
	revoked, used := d.share(f, hour), d.share(f, domain.Sharing{Life: time.Hour, SingleUse: true})
	for range 2 { // the second time changes nothing
		if err := d.RevokeShare(t.Context(), revoked.ID); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := d.stranger().follows(used); err != nil {
		t.Fatal(err)
	}
	ofDeleted, ofLost := d.share(deleted, hour), d.share(lost, domain.Sharing{Life: time.Hour, SingleUse: true})
	if err := d.Delete(t.Context(), deleted.ID, domain.AnyVersion); err != nil {
		t.Fatal(err)
	}
	d.lose(lost)
	unknown := service.CreatedShare{Token: secret.New("hokuspokus")}
	for name, s := range map[string]service.CreatedShare{
		"unknown": unknown, "empty": {}, "expired": expired, "revoked": revoked, "used": used, "of a deleted file": ofDeleted, "of lost content": ofLost,
	} {
		anybody := d.stranger()
		_, err := anybody.follows(s)
		if got, _ := errs.As(err); got != domain.ErrShareNotFound {
			t.Errorf("%s: %v", name, err)
		}
		entries := anybody.records.Entries()
		if len(entries) != 1 || entries[0].Operation != service.OpenShare.Name || entries[0].Outcome != op.Failed || entries[0].Code != domain.ErrShareNotFound.Code {
			t.Errorf("%s is recorded as %+v", name, entries)
			continue
		}
		want := uow.Target{}
		if s.ID != uuid.Nil {
			want = uow.Target{Kind: "share", ID: s.ID.String()}
		}
		if got := entries[0].Target; got.Kind != want.Kind || got.ID != want.ID {
			t.Errorf("%s is recorded about %+v, not %+v", name, got, want)
		}
	}
	states := map[domain.ShareState]int{}
	for _, s := range d.shares(f) {
		states[s.State(d.clock.Now())]++
	}
	if states[domain.ShareExpired] != 1 || states[domain.ShareRevoked] != 1 || states[domain.ShareUsed] != 1 {
		t.Errorf("states %v", states)
	}
	if _, err := d.Undelete(t.Context(), deleted.ID); err != nil {
		t.Fatal(err)
	}
	if got, err := d.stranger().follows(ofDeleted); err != nil || got != "hello" {
		t.Errorf("once the file is back: %q, %v", got, err)
	}
}

func TestASingleUseIsOneUse(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	s := d.share(d.ready("hello"), domain.Sharing{Life: time.Hour, SingleUse: true})
	d.blobs.FailWith(s3x.ErrUnavailable)
	if _, err := d.stranger().follows(s); !errors.Is(err, errs.ErrUnavailable) {
		t.Errorf("with the store away: %v", err)
	}
	d.blobs.FailWith(nil)
	for range 3 { // who asks does not read
		if _, err := d.stranger().OpenShare(t.Context(), s.Token); err != nil {
			t.Errorf("asked: %v", err)
		}
	}
	var read atomic.Int64
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			switch _, err := d.stranger().follows(s); {
			case err == nil:
				read.Add(1)
			case !errors.Is(err, domain.ErrShareNotFound):
				t.Error(err)
			}
		})
	}
	all.Wait()
	if read.Load() != 1 {
		t.Errorf("it was used %d times", read.Load())
	}
}

// TestASingleUseLeadsToNoLink: where readers are sent to the object store, its
// link works for minutes and as often as somebody likes. A share for single
// use passes through the server instead.
func TestASingleUseLeadsToNoLink(t *testing.T) {
	t.Parallel()
	d := newDesk(t).with(func(p *domain.Policy, _ *service.Parties) { p.Redirect = true })
	f := d.ready("hello")
	for single, links := range map[bool]bool{false: true, true: false} {
		s := d.share(f, domain.Sharing{Life: time.Hour, SingleUse: single})
		if r, err := d.stranger().OpenShare(t.Context(), s.Token); err != nil || (r.Link != nil) != links || r.Whole != single {
			t.Errorf("for single use %v: sent to the store %v, whole %v, %v", single, r.Link != nil, r.Whole, err)
		}
	}
}

func TestSharesHaveBounds(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	f, pending := d.ready("hello"), d.create("b", 5)
	for life, want := range map[time.Duration]error{
		time.Minute - 1: domain.ErrInvalid, time.Minute: nil, domain.MaxShareLife: nil, domain.MaxShareLife + 1: domain.ErrInvalid,
	} {
		if _, err := d.CreateShare(t.Context(), f.ID, domain.Sharing{Life: life}); !errors.Is(err, want) {
			t.Errorf("for %v: %v", life, err)
		}
	}
	if _, err := d.CreateShare(t.Context(), pending.ID, domain.Sharing{Life: time.Hour}); !errors.Is(err, domain.ErrNotReady) {
		t.Errorf("of a pending file: %v", err)
	}
	if err := d.RevokeShare(t.Context(), f.ID); !errors.Is(err, domain.ErrShareNotFound) {
		t.Errorf("revoke what is none: %v", err)
	}
}

// TestANewVersionIsNotShared: a share leads to the content that was there.
func TestANewVersionIsNotShared(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	s := d.share(d.version("a", "first"), domain.Sharing{Life: time.Hour})
	d.version("a", "second")
	if got, err := d.stranger().follows(s); err != nil || got != "first" {
		t.Errorf("read %q, %v", got, err)
	}
}
