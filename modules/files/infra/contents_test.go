package infra_test

import (
	"errors"
	"io"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/google/uuid"

	"github.com/insulahq/insula/modules/files/domain"
	"github.com/insulahq/insula/modules/files/infra"
	"github.com/insulahq/insula/platform/clock"
	"github.com/insulahq/insula/platform/errs"
	"github.com/insulahq/insula/platform/id"
	"github.com/insulahq/insula/platform/s3x"
	"github.com/insulahq/insula/platform/s3x/s3test"
	"github.com/insulahq/insula/platform/scope"
	"github.com/insulahq/insula/platform/tenancy"
)

func contentsOf(blobs s3x.Blobs, tenant uuid.UUID) *infra.Contents {
	return infra.NewContents(blobs, scope.Request{Tenant: tenancy.Tenant{ID: tenant}})
}

func TestContents(t *testing.T) {
	ctx, ids := t.Context(), id.NewSequence(5)
	c := contentsOf(s3test.NewMemory(t, clock.At(now)), ids.New())
	object := ids.New()
	if err := c.Put(ctx, object, strings.NewReader("0123456789"), 10, "text/plain"); err != nil {
		t.Fatal(err)
	}
	r, err := c.Open(ctx, object, 2, 3)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	if got, err := io.ReadAll(r); err != nil || string(got) != "234" {
		t.Errorf("read %q, %v", got, err)
	}
	for range 2 { // the second time there is nothing left
		if err := c.Remove(ctx, object); err != nil {
			t.Error(err)
		}
	}
	if _, err := c.Open(ctx, object, 0, 10); !errors.Is(err, domain.ErrLost) {
		t.Errorf("a lost object is %v", err)
	}
}

func TestContentsOfAnotherTenantAreOutOfReach(t *testing.T) {
	ctx, ids := t.Context(), id.NewSequence(6)
	blobs, object := s3test.NewMemory(t, clock.At(now)), ids.New()
	ours, theirs := contentsOf(blobs, ids.New()), contentsOf(blobs, ids.New())
	if err := ours.Put(ctx, object, strings.NewReader("ours"), 4, "text/plain"); err != nil {
		t.Fatal(err)
	}
	if _, err := theirs.Open(ctx, object, 0, 4); err == nil {
		t.Error("another tenant reads it")
	}
	if err := theirs.Remove(ctx, object); err != nil {
		t.Fatal(err)
	}
	if r, err := ours.Open(ctx, object, 0, 4); err != nil {
		t.Errorf("another tenant removed it: %v", err)
	} else {
		r.Close()
	}
}

func TestContentsDeclareWhatGoesWrong(t *testing.T) {
	ctx, ids := t.Context(), id.NewSequence(7)
	blobs := s3test.NewMemory(t, clock.At(now))
	c, broken := contentsOf(blobs, ids.New()), errs.New(errs.Malformed, "broken", "Broken.")
	if err := c.Put(ctx, ids.New(), strings.NewReader("1234"), 5, "text/plain"); !errors.Is(err, domain.ErrSize) {
		t.Errorf("too short: %v", err)
	}
	if err := c.Put(ctx, ids.New(), iotest.ErrReader(broken), 5, "text/plain"); !errors.Is(err, broken) {
		t.Errorf("broken reader: %v", err)
	}
	blobs.FailWith(s3x.ErrUnavailable)
	_, open := c.Open(ctx, ids.New(), 0, 1)
	for name, err := range map[string]error{
		"put":    c.Put(ctx, ids.New(), strings.NewReader("1"), 1, "text/plain"),
		"open":   open,
		"remove": c.Remove(ctx, ids.New()),
	} {
		if !errors.Is(err, errs.ErrUnavailable) {
			t.Errorf("%s with the store away: %v", name, err)
		}
	}
}

func TestUploadsInParts(t *testing.T) {
	ctx, ids := t.Context(), id.NewSequence(8)
	blobs := s3test.NewMemory(t, clock.At(now))
	c, object := contentsOf(blobs, ids.New()), ids.New()
	if _, err := c.Stat(ctx, object); !errors.Is(err, domain.ErrIncomplete) {
		t.Errorf("stat of nothing: %v", err)
	}
	if _, err := c.Parts(ctx, object, "none"); !errors.Is(err, domain.ErrFilled) {
		t.Errorf("parts of no upload: %v", err)
	}
	multipart, err := c.Begin(ctx, object, "text/plain")
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Assemble(ctx, object, multipart, []domain.Stored{{Number: 1, ETag: "x"}}); !errors.Is(err, domain.ErrIncomplete) {
		t.Errorf("parts that are not there: %v", err)
	}
	if err := c.Abort(ctx, object, multipart); err != nil {
		t.Fatal(err)
	}
	if err := c.Assemble(ctx, object, multipart, nil); !errors.Is(err, domain.ErrFilled) {
		t.Errorf("after the abort: %v", err)
	}
	blobs.FailWith(s3x.ErrUnavailable)
	_, begin := c.Begin(ctx, object, "text/plain")
	_, parts := c.Parts(ctx, object, multipart)
	_, stat := c.Stat(ctx, object)
	for name, err := range map[string]error{
		"begin": begin, "parts": parts, "stat": stat, "assemble": c.Assemble(ctx, object, multipart, nil), "abort": c.Abort(ctx, object, multipart),
	} {
		if !errors.Is(err, errs.ErrUnavailable) {
			t.Errorf("%s with the store away: %v", name, err)
		}
	}
}
