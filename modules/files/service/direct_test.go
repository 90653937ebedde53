package service_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/insulahq/insula/modules/files/domain"
	"github.com/insulahq/insula/modules/files/service"
	"github.com/insulahq/insula/platform/errs"
	"github.com/insulahq/insula/platform/s3x"
	"github.com/insulahq/insula/platform/s3x/s3test"
)

// mega is the least size of a part that is not the last.
const mega = s3x.MinPartBytes

// direct lets clients send to the store.
func direct(p *domain.Policy, _ *service.Parties) {
	p.Direct, p.MaxBytes, p.QuotaBytes, p.SinglePut = true, 4*mega, 10*mega, mega
	p.Inline = 3 * mega
}

func (d *desk) declare(in domain.Declaration) service.Sending {
	d.t.Helper()
	s, err := d.Create(d.t.Context(), in)
	if err != nil {
		d.t.Fatal(err)
	}
	return s
}

// send follows a link as a client would.
func send(t *testing.T, l domain.Link, body []byte) int {
	t.Helper()
	return s3test.Follow(t, l.Method, l.URL, l.Header, body)
}

func (d *desk) complete(f domain.File) (domain.File, error) {
	d.t.Helper()
	return d.Complete(d.t.Context(), f.ID)
}

func sumOf(content []byte) string {
	sum := sha256.Sum256(content)
	return hex.EncodeToString(sum[:])
}

func TestSendInOnePiece(t *testing.T) {
	t.Parallel()
	content := []byte("%PDF-1.7 hello")
	for name, sum := range map[string]string{"with a checksum": sumOf(content), "without": ""} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := newDesk(t).with(direct)
			s := d.declare(domain.Declaration{Name: "a", Size: int64(len(content)), ContentType: "text/plain", SHA256: sum})
			if s.Upload.Method != domain.Put || s.Link == nil || !s.Link.Expires.Equal(d.clock.Now().Add(time.Minute)) {
				t.Fatalf("declared %+v", s)
			}
			if _, err := d.complete(s.File); !errors.Is(err, domain.ErrIncomplete) {
				t.Errorf("complete before it was sent: %v", err)
			}
			for _, sent := range []struct {
				body string
				want int
			}{{"%PDF-1.7 hello!", 403}, {"%PDF", 403}, {string(content), 200}, {"%PDF-1.7 jello", 412}} {
				if got := send(t, *s.Link, []byte(sent.body)); got != sent.want {
					t.Errorf("%q: %d, want %d", sent.body, got, sent.want)
				}
			}
			f, err := d.complete(s.File)
			if err != nil || f.Status != domain.Ready || f.ContentType != "application/pdf" || hex.EncodeToString(f.SHA256) != sumOf(content) {
				t.Fatalf("completed %+v, %v", f, err)
			}
			if got := d.read(f); got != string(content) {
				t.Errorf("content %q", got)
			}
			if again, err := d.complete(f); err != nil || again.Version != f.Version || again.Status != domain.Ready {
				t.Errorf("completed again: %+v, %v", again, err)
			}
			d.usage(int64(len(content)), 1)
		})
	}
}

// sendParts sends parts of a content by the links that it asks for.
func (d *desk) sendParts(f domain.File, content []byte, numbers ...int32) service.Sending {
	d.t.Helper()
	s, err := d.Parts(d.t.Context(), f.ID, numbers)
	if err != nil {
		d.t.Fatal(err)
	}
	for _, p := range s.Parts {
		from := int64(p.Number-1) * s.Upload.PartSize
		if got := send(d.t, p.Link, content[from:from+p.Size]); got != http.StatusOK {
			d.t.Fatalf("part %d: %d", p.Number, got)
		}
	}
	return s
}

func TestSendInPartsWithACut(t *testing.T) {
	t.Parallel()
	d := newDesk(t).with(direct)
	content := bytes.Repeat([]byte("insula!"), 2*mega/7+1)
	s := d.declare(domain.Declaration{Name: "a", Size: int64(len(content)), SHA256: sumOf(content)})
	if s.Upload.Method != domain.Multipart || s.Upload.Parts(s.File.Size) != 3 || s.Link != nil {
		t.Fatalf("declared %+v", s)
	}
	d.sendParts(s.File, content, 3, 1)
	_, err := d.complete(s.File)
	if e, _ := errs.As(err); e == nil || !errors.Is(e, domain.ErrIncomplete) || len(e.Fields) != 1 || e.Fields[0].Pointer != "part 2" {
		t.Errorf("complete without part 2: %+v", err)
	}
	resumed := d.sendParts(s.File, content)
	if len(resumed.Stored) != 2 || resumed.Stored[0].Number != 1 || resumed.Stored[1].Number != 3 {
		t.Errorf("arrived %+v", resumed.Stored)
	}
	if _, err := d.Parts(t.Context(), s.File.ID, []int32{4}); !errors.Is(err, domain.ErrInvalid) {
		t.Errorf("a part that there is not: %v", err)
	}
	d.sendParts(s.File, content, 2)
	f, err := d.complete(s.File)
	if err != nil || f.Status != domain.Ready || d.read(f) != string(content) {
		t.Fatalf("completed %+v, %v", f, err)
	}
	d.nothingLeft(f)
}

// nothingLeft checks that the store has what these files name, and nothing
// else, of uploads neither.
func (d *desk) nothingLeft(files ...domain.File) {
	d.t.Helper()
	objects := d.objects()
	for _, f := range files {
		if !slices.Contains(objects, f.Object) {
			d.t.Errorf("%s has no object", f.Name)
		}
	}
	if len(objects) != len(files) {
		d.t.Errorf("%d objects of %d files", len(objects), len(files))
	}
	for u, err := range d.blobs.Unfinished(d.t.Context(), d.tenant.Tenant.ID) {
		d.t.Errorf("an upload is left: %+v, %v", u, err)
	}
}

func TestContentThatIsNotWhatWasDeclaredIsThrownAway(t *testing.T) {
	t.Parallel()
	d := newDesk(t).with(direct).with(func(p *domain.Policy, _ *service.Parties) { p.Types = []string{"text/*"} })
	good := bytes.Repeat([]byte("good"), mega/4+1)
	for name, tc := range map[string]struct {
		bad  []byte
		want *errs.Error
	}{
		"checksum": {bytes.Repeat([]byte("evil"), mega/4+1), domain.ErrChecksum},
		"type":     {append([]byte("%PDF-1.7\n"), good[9:]...), domain.ErrType},
	} {
		s := d.declare(domain.Declaration{Name: name, Size: int64(len(good)), SHA256: sumOf(good)})
		d.sendParts(s.File, tc.bad, 1, 2)
		f, err := d.complete(s.File)
		if !errors.Is(err, tc.want) || f.Status != domain.Pending || f.Reason != tc.want.Code {
			t.Fatalf("%s: %+v, %v", name, f, err)
		}
		d.nothingLeft()
		d.sendParts(s.File, good, 1, 2)
		if f, err := d.complete(s.File); err != nil || f.Status != domain.Ready || f.Reason != "" {
			t.Errorf("%s, then the right content: %+v, %v", name, f, err)
		}
		for range 2 {
			if err := d.Delete(t.Context(), s.File.ID, domain.AnyVersion); err != nil {
				t.Fatal(err)
			}
		}
	}
	d.usage(0, 0)
}

func TestAContentOfAnotherSizeInTheStoreIsThrownAway(t *testing.T) {
	t.Parallel()
	d := newDesk(t).with(direct)
	for _, stored := range []string{"1234", "123456", ""} {
		s := d.declare(domain.Declaration{Name: "a", Size: 5})
		key := s3x.TenantKey(d.tenant.Tenant.ID, s.Upload.Object)
		if _, err := d.blobs.Put(t.Context(), key, strings.NewReader(stored), int64(len(stored)), "text/plain"); err != nil {
			t.Fatal(err)
		}
		if _, err := d.complete(s.File); !errors.Is(err, domain.ErrSize) {
			t.Errorf("%q for five bytes: %v", stored, err)
		}
		if err := d.Abort(t.Context(), s.File.ID); err != nil {
			t.Error(err)
		}
	}
	d.nothingLeft()
	d.usage(0, 0)
}

func TestManyCompletesAtOnce(t *testing.T) {
	t.Parallel()
	d := newDesk(t).with(direct)
	s := d.declare(domain.Declaration{Name: "a", Size: 5})
	if got := send(t, *s.Link, []byte("hello")); got != 200 {
		t.Fatal(got)
	}
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			if f, err := d.beside().Complete(t.Context(), s.File.ID); err != nil || f.Status != domain.Ready {
				t.Errorf("%s, %v", f.Status, err)
			}
		})
	}
	all.Wait()
	f, err := d.Get(t.Context(), s.File.ID)
	if err != nil || f.Version != 2 || d.read(f) != "hello" {
		t.Errorf("%+v, %v", f, err)
	}
	d.nothingLeft(f)
}

func TestAbort(t *testing.T) {
	t.Parallel()
	d := newDesk(t).with(direct)
	content := make([]byte, mega+1)
	s := d.declare(domain.Declaration{Name: "a", Size: int64(len(content))})
	d.sendParts(s.File, content, 1)
	if err := d.Abort(t.Context(), s.File.ID); err != nil {
		t.Fatal(err)
	}
	if _, err := d.Get(t.Context(), s.File.ID); !errors.Is(err, domain.ErrNotFound) {
		t.Errorf("afterwards: %v", err)
	}
	d.nothingLeft()
	d.usage(0, 0)
	f := d.ready("hello")
	if err := d.Abort(t.Context(), f.ID); !errors.Is(err, domain.ErrFilled) {
		t.Errorf("of a ready file: %v", err)
	}
}

func TestSendingThroughTheServerInsteadLeavesNothingElsewhere(t *testing.T) {
	t.Parallel()
	d := newDesk(t).with(direct)
	content := string(make([]byte, mega+1))
	s := d.declare(domain.Declaration{Name: "a", Size: int64(len(content))})
	d.sendParts(s.File, []byte(content), 1)
	f, err := d.upload(s.File, content)
	if err != nil {
		t.Fatal(err)
	}
	d.nothingLeft(f)
}

func TestOnlyWhoDeclaredAFileSendsIt(t *testing.T) {
	t.Parallel()
	d := newDesk(t).with(direct)
	s := d.declare(domain.Declaration{Name: "a", Size: 5})
	other := d.as("0199d3a0-7c1e-7b54-9c3e-2f6d1a0b4c5e")
	_, upload := other.upload(s.File, "hello")
	_, parts := other.Parts(t.Context(), s.File.ID, nil)
	_, complete := other.complete(s.File)
	for name, err := range map[string]error{"upload": upload, "parts": parts, "complete": complete, "abort": other.Abort(t.Context(), s.File.ID)} {
		if !errors.Is(err, domain.ErrNotYours) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if d.status(s.File) != domain.Pending || len(other.records.Entries()) != 4 {
		t.Errorf("%s, recorded %+v", d.status(s.File), other.records.Entries())
	}
}

func TestQuotaIsTakenAndGivenBack(t *testing.T) {
	t.Parallel()
	d := newDesk(t).with(func(p *domain.Policy, _ *service.Parties) { p.QuotaBytes, p.QuotaFiles = 10, 3 })
	f := d.create("a", 7)
	_, err := d.Create(t.Context(), domain.Declaration{Name: "b", Size: 4})
	if e, _ := errs.As(err); e == nil || !errors.Is(e, domain.ErrQuota) || !strings.Contains(e.Fields[0].Detail, "3 bytes in 2 files") {
		t.Errorf("more than is left: %+v", err)
	}
	d.usage(7, 1)
	if _, err := d.upload(f, "short"); !errors.Is(err, domain.ErrSize) {
		t.Error(err)
	}
	d.usage(7, 1)
	if err := d.Abort(t.Context(), f.ID); err != nil {
		t.Fatal(err)
	}
	d.usage(0, 0)
	d.create("b", 10)
	d.usage(10, 1)
}

func TestUploadsWithTheStoreAway(t *testing.T) {
	t.Parallel()
	d := newDesk(t).with(direct)
	s := d.declare(domain.Declaration{Name: "a", Size: mega + 1})
	d.blobs.FailWith(s3x.ErrUnavailable)
	_, parts := d.Parts(t.Context(), s.File.ID, []int32{1})
	if e, _ := errs.As(parts); e == nil || !errors.Is(e, errs.ErrUnavailable) || e.RetryAfter == 0 {
		t.Errorf("parts: %v", parts)
	}
	d.blobs.FailWith(nil)
	d.sendParts(s.File, make([]byte, mega+1), 1, 2)
	d.blobs.FailWith(s3x.ErrUnavailable)
	if _, err := d.complete(s.File); !errors.Is(err, errs.ErrUnavailable) {
		t.Errorf("complete: %v", err)
	}
	if d.status(s.File) != domain.Pending {
		t.Error("something became visible")
	}
	d.blobs.FailWith(nil)
	if f, err := d.complete(s.File); err != nil || f.Status != domain.Ready {
		t.Errorf("with the store back: %+v, %v", f, err)
	}
}

// TestAnUploadThatSomebodyAbortedInTheStoreBeginsAnew: its sender is not
// stuck with an upload that nobody can add to.
func TestAnUploadThatSomebodyAbortedInTheStoreBeginsAnew(t *testing.T) {
	t.Parallel()
	d := newDesk(t).with(direct)
	content := make([]byte, mega+1)
	s := d.declare(domain.Declaration{Name: "a", Size: mega + 1})
	first := d.sendParts(s.File, content, 1)
	if err := d.blobs.Abort(t.Context(), s3x.TenantKey(d.tenant.Tenant.ID, s.Upload.Object), first.Upload.Multipart); err != nil {
		t.Fatal(err)
	}
	second := d.sendParts(s.File, content, 1, 2)
	if len(second.Stored) != 0 || second.Upload.Multipart == first.Upload.Multipart {
		t.Errorf("it goes on as %+v", second)
	}
	if _, err := d.complete(s.File); err != nil {
		t.Error(err)
	}
}

// TestAskingAfterTheLastStep: a process may have ended between assembling the
// parts and saying so. Who asks how to go on hears that nothing is missing.
func TestAskingAfterTheLastStep(t *testing.T) {
	t.Parallel()
	d := newDesk(t).with(direct)
	content := make([]byte, mega+1)
	s := d.declare(domain.Declaration{Name: "a", Size: mega + 1})
	sent := d.sendParts(s.File, content, 1, 2)
	stored, err := d.parties.Contents.Parts(t.Context(), s.Upload.Object, sent.Upload.Multipart)
	if err != nil {
		t.Fatal(err)
	}
	if err := d.parties.Contents.Assemble(t.Context(), s.Upload.Object, sent.Upload.Multipart, stored); err != nil {
		t.Fatal(err)
	}
	if again, err := d.Parts(t.Context(), s.File.ID, []int32{1}); err != nil || len(again.Stored) != 2 || len(again.Parts) != 0 {
		t.Errorf("it goes on as %+v, %v", again, err)
	}
	if f, err := d.complete(s.File); err != nil || f.Status != domain.Ready {
		t.Errorf("%s, %v", f.Status, err)
	}
}
