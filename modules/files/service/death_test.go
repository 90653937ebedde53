package service_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"github.com/google/uuid"

	"github.com/insulahq/insula/modules/files/domain"
	"github.com/insulahq/insula/modules/files/service"
	"github.com/insulahq/insula/platform/optest"
	"github.com/insulahq/insula/platform/page"
	"github.com/insulahq/insula/platform/scope"
	"github.com/insulahq/insula/platform/uow"
)

// fuse lets so many steps pass, and then the process ends: nothing that comes
// later happens, and nobody hears how the last step went.
type fuse struct {
	left int
	dead bool
}

var errDead = errors.New("the process is dead")

func (f *fuse) burn() error {
	if f.left--; f.left < 0 {
		f.dead = true
		return errDead
	}
	return nil
}

// step is a call to a part that lives on: the process may end before it, and
// after it has happened.
func step[T any](f *fuse, do func() (T, error)) (out T, err error) {
	if err := f.burn(); err != nil {
		return out, err
	}
	done, err := do()
	if dead := f.burn(); dead != nil {
		return out, dead
	}
	return done, err
}

func act(f *fuse, do func() error) error {
	_, err := step(f, func() (struct{}, error) { return struct{}{}, do() })
	return err
}

// mortalUnit is the database as a process sees it that may end: before a unit
// of work, before its commit, or after it.
type mortalUnit struct {
	uow.Unit
	*fuse
}

func (u mortalUnit) Read(ctx context.Context, fn func(uow.Tx) error) error {
	return act(u.fuse, func() error { return u.Unit.Read(ctx, fn) })
}

func (u mortalUnit) Look(ctx context.Context, fn func(uow.Tx) error) error {
	return act(u.fuse, func() error { return u.Unit.Look(ctx, fn) })
}

func (u mortalUnit) Write(ctx context.Context, fn func(uow.Tx) error) error {
	return act(u.fuse, func() error { return u.Unit.Write(ctx, u.mortally(fn)) })
}

func (u mortalUnit) Record(ctx context.Context, fn func(uow.Tx) error) error {
	return act(u.fuse, func() error { return u.Unit.Record(ctx, u.mortally(fn)) })
}

func (u mortalUnit) mortally(fn func(uow.Tx) error) func(uow.Tx) error {
	return func(tx uow.Tx) error {
		if err := fn(tx); err != nil {
			return err
		}
		return u.burn()
	}
}

// mortalContents is the store as a process sees it that may end.
type mortalContents struct {
	domain.Contents
	*fuse
}

func (c mortalContents) Put(ctx context.Context, object uuid.UUID, r io.Reader, size int64, contentType string) error {
	return act(c.fuse, func() error { return c.Contents.Put(ctx, object, r, size, contentType) })
}

func (c mortalContents) Open(ctx context.Context, object uuid.UUID, from, length int64) (io.ReadCloser, error) {
	return step(c.fuse, func() (io.ReadCloser, error) { return c.Contents.Open(ctx, object, from, length) })
}

func (c mortalContents) Stat(ctx context.Context, object uuid.UUID) (domain.Stat, error) {
	return step(c.fuse, func() (domain.Stat, error) { return c.Contents.Stat(ctx, object) })
}

func (c mortalContents) Remove(ctx context.Context, object uuid.UUID) error {
	return act(c.fuse, func() error { return c.Contents.Remove(ctx, object) })
}

func (c mortalContents) Begin(ctx context.Context, object uuid.UUID, contentType string) (string, error) {
	return step(c.fuse, func() (string, error) { return c.Contents.Begin(ctx, object, contentType) })
}

func (c mortalContents) Parts(ctx context.Context, object uuid.UUID, multipart string) ([]domain.Stored, error) {
	return step(c.fuse, func() ([]domain.Stored, error) { return c.Contents.Parts(ctx, object, multipart) })
}

func (c mortalContents) Assemble(ctx context.Context, object uuid.UUID, multipart string, parts []domain.Stored) error {
	return act(c.fuse, func() error { return c.Contents.Assemble(ctx, object, multipart, parts) })
}

func (c mortalContents) Abort(ctx context.Context, object uuid.UUID, multipart string) error {
	return act(c.fuse, func() error { return c.Contents.Abort(ctx, object, multipart) })
}

// mortal is the same desk in a process that ends when the fuse has burnt down.
func (d *desk) mortal(f *fuse) *desk {
	next := *d
	r := scope.Request{Tenant: d.tenant.Tenant, Caller: d.caller}
	next.run, next.records = optest.Runner(d.t, r, mortalUnit{d.tenant.Unit(), f}, d.clock)
	next.parties.Contents = mortalContents{d.parties.Contents, f}
	next.Files = service.New(next.run, next.policy, next.parties)
	return &next
}

// way is one way for a content from its declaration until it is ready. It
// breaks off with the first error.
type way struct {
	content []byte
	change  func(*domain.Policy, *service.Parties)
	send    func(d *desk, s service.Sending, content []byte) error
}

var ways = map[string]way{
	"through the server": {[]byte("hello"), nothing, func(d *desk, s service.Sending, content []byte) error {
		_, err := d.Upload(d.t.Context(), s.File.ID, service.Body{Reader: bytes.NewReader(content), Length: s.File.Size})
		return err
	}},
	"through the server, past a scanner": {[]byte("hello"), scanned, func(d *desk, s service.Sending, content []byte) error {
		_, err := d.Upload(d.t.Context(), s.File.ID, service.Body{Reader: bytes.NewReader(content), Length: s.File.Size})
		return err
	}},
	"in one piece": {[]byte("hello"), direct, func(d *desk, s service.Sending, content []byte) error {
		if s.Link == nil {
			return errDead
		}
		send(d.t, *s.Link, content)
		_, err := d.Complete(d.t.Context(), s.File.ID)
		return err
	}},
	"in parts, read later": {bytes.Repeat([]byte("insula"), mega/6+1), readLater, func(d *desk, s service.Sending, content []byte) error {
		all, err := d.Parts(d.t.Context(), s.File.ID, []int32{1, 2})
		if err != nil {
			return err
		}
		for _, p := range all.Parts {
			from := int64(p.Number-1) * all.Upload.PartSize
			send(d.t, p.Link, content[from:from+p.Size])
		}
		_, err = d.Complete(d.t.Context(), s.File.ID)
		return err
	}},
}

func nothing(*domain.Policy, *service.Parties) {}

func scanned(_ *domain.Policy, p *service.Parties) { p.Scanner = &guard{} }

func readLater(p *domain.Policy, parties *service.Parties) {
	direct(p, parties)
	p.Inline = 10
}

// walk takes a content all the way.
func (w way) walk(d *desk) error {
	s, err := d.Create(d.t.Context(), domain.Declaration{Name: "a", Size: int64(len(w.content)), SHA256: sumOf(w.content)})
	if err != nil {
		return err
	}
	if err := w.send(d, s, w.content); err != nil {
		return err
	}
	_, err = d.work()
	return err
}

// TestAProcessThatEndsAtAnyStep ends the process at every step between the
// reservation and the ready file, also where the step has happened and nobody
// has heard of it. After a restart the file is ready, with the content that was
// sent, or it is gone, its room is free, and nothing of it is left anywhere.
func TestAProcessThatEndsAtAnyStep(t *testing.T) {
	t.Parallel()
	for name, w := range ways {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			ready, gone := 0, 0
			for steps := 0; ; steps++ {
				d, f := newDesk(t).with(w.change), &fuse{left: steps}
				err := w.walk(d.mortal(f))
				if !f.dead && err != nil {
					t.Fatalf("after %d steps: %v", steps, err)
				}
				if d.restart(fmt.Sprintf("after %d steps", steps), w.content) {
					ready++
				} else {
					gone++
				}
				if !f.dead {
					break
				}
			}
			if ready < 2 || gone < 2 {
				t.Errorf("%d ended ready and %d gone: the walk has too few steps", ready, gone)
			}
			t.Logf("%d ended ready, %d gone", ready, gone)
		})
	}
}

// restart does what happens by itself after a process has ended, and reports
// whether the file has become ready.
func (d *desk) restart(when string, content []byte) (ready bool) {
	d.t.Helper()
	for _, later := range []time.Duration{0, 4 * time.Hour, 26 * time.Hour} {
		d.clock.Advance(later)
		d.mustSweep()
		if _, err := d.work(); err != nil {
			d.t.Fatalf("%s: %v", when, err)
		}
	}
	p, err := d.List(d.t.Context(), domain.AnySpec(), page.Request{Limit: 10})
	if err != nil {
		d.t.Fatal(err)
	}
	if len(p.Items) == 0 {
		d.nothingLeft()
		d.usage(0, 0)
		return false
	}
	f := p.Items[0]
	if len(p.Items) != 1 || f.Status != domain.Ready || d.read(f) != string(content) {
		d.t.Errorf("%s: %+v", when, p.Items)
	}
	d.nothingLeft(f)
	d.usage(int64(len(content)), 1)
	return true
}

// TestAClientThatIsCutAtAnyByte leaves nothing, and may come again.
func TestAClientThatIsCutAtAnyByte(t *testing.T) {
	t.Parallel()
	d := newDesk(t).with(func(p *domain.Policy, _ *service.Parties) {
		p.MaxBytes, p.QuotaBytes = 10*domain.Sniffed, 10*domain.Sniffed
	})
	content := strings.Repeat("0123456789", domain.Sniffed/10+20)
	f := d.create("a", int64(len(content)))
	cut := errors.New("the client has hung up")
	at := []int{domain.Sniffed - 1, domain.Sniffed, domain.Sniffed + 1, len(content) - 1, len(content)}
	for n := range 40 {
		at = append(at, n)
	}
	for _, n := range at {
		body := io.MultiReader(strings.NewReader(content[:n]), iotest.ErrReader(cut))
		if _, err := d.Upload(t.Context(), f.ID, service.Body{Reader: body, Length: f.Size}); !errors.Is(err, cut) {
			t.Errorf("cut after %d bytes: %v", n, err)
		}
		if objects := d.objects(); len(objects) != 0 || d.status(f) != domain.Pending {
			t.Fatalf("cut after %d bytes: %d objects, %s", n, len(objects), d.status(f))
		}
	}
	if f, err := d.upload(f, content); err != nil || d.read(f) != content {
		t.Errorf("once it is there again: %v", err)
	}
	d.usage(f.Size, 1)
}

// TestADownloadWhoseFileIsDeleted gives the content or an error, and never
// other bytes.
func TestADownloadWhoseFileIsDeleted(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	f := d.ready("hello")
	r, err := d.Download(t.Context(), f.ID)
	if err != nil {
		t.Fatal(err)
	}
	body, err := r.Open(t.Context(), 0, f.Size)
	if err != nil {
		t.Fatal(err)
	}
	defer body.Close()
	for range 2 {
		if err := d.Delete(t.Context(), f.ID, domain.AnyVersion); err != nil {
			t.Fatal(err)
		}
	}
	if got, err := io.ReadAll(body); err == nil && string(got) != "hello" {
		t.Errorf("read %q", got)
	}
	if again, err := r.Open(t.Context(), 0, f.Size); err == nil {
		again.Close()
		t.Error("the content can still be opened")
	}
}
