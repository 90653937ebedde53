package service_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"errors"
	"io"
	"log/slog"
	"reflect"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/insulahq/insula/modules/files/domain"
	"github.com/insulahq/insula/modules/files/infra"
	"github.com/insulahq/insula/modules/files/service"
	"github.com/insulahq/insula/platform/authn"
	"github.com/insulahq/insula/platform/clock"
	"github.com/insulahq/insula/platform/errs"
	"github.com/insulahq/insula/platform/id"
	"github.com/insulahq/insula/platform/op"
	"github.com/insulahq/insula/platform/optest"
	"github.com/insulahq/insula/platform/page"
	"github.com/insulahq/insula/platform/pg"
	"github.com/insulahq/insula/platform/pgtest"
	"github.com/insulahq/insula/platform/s3x"
	"github.com/insulahq/insula/platform/s3x/s3test"
	"github.com/insulahq/insula/platform/scope"
	"github.com/insulahq/insula/platform/secret"
	"github.com/insulahq/insula/platform/tenancy"
	"github.com/insulahq/insula/platform/uow"
)

func TestMain(m *testing.M) { pgtest.Main(m) }

// desk is one user at work in a tenant of its own.
type desk struct {
	*service.Files
	t       *testing.T
	tenant  pgtest.Fixture
	blobs   *s3test.Memory
	records *optest.Records
	clock   *clock.Manual
	caller  authn.Caller
	log     *strings.Builder
	run     *op.Runner
	policy  domain.Policy
	parties service.Parties
	outbox  *pg.Outbox
}

const limit = 1000

func newDesk(t *testing.T) *desk {
	t.Helper()
	return deskOver(t, func(u uow.Unit) uow.Unit { return u })
}

// deskOver lets a test stand between the operations and their unit of work.
func deskOver(t *testing.T, wrap func(uow.Unit) uow.Unit) *desk {
	t.Helper()
	d := &desk{
		t: t, tenant: pgtest.Tenant(t), clock: clock.At(time.Date(2026, 11, 30, 8, 0, 0, 0, time.UTC)), log: &strings.Builder{},
		caller: authn.Caller{Kind: authn.User, ID: uuid.MustParse("0199d3a0-7c1e-7b54-9c3e-2f6d1a0b4c5d"), Label: "ada@acme.example"},
	}
	d.blobs = s3test.NewMemory(t, d.clock)
	r := scope.Request{Tenant: d.tenant.Tenant, Caller: d.caller}
	run, records := optest.Runner(t, r, wrap(d.tenant.Unit()), d.clock)
	d.records = records
	d.policy = domain.Policy{
		MaxBytes: limit, QuotaBytes: 4 * limit, QuotaFiles: 20, Retention: 24 * time.Hour, UploadTTL: time.Hour, LinkTTL: time.Minute,
		SinglePut: limit, PartSize: 5 << 20, Inline: limit,
	}
	d.outbox = pg.NewOutbox(d.tenant.Pool, d.clock, id.System{})
	d.parties = service.Parties{
		Keep: infra.NewRepository(), Contents: infra.NewContents(d.blobs, r), Clock: d.clock, IDs: id.System{},
		Outbox: d.outbox, Tokens: service.NewTokens(rootKey(t), rand.Reader), Log: slog.New(slog.NewTextHandler(d.log, nil)),
	}
	d.run = run
	d.Files = service.New(run, d.policy, d.parties)
	return d
}

func rootKey(t *testing.T) secret.Key {
	t.Helper()
	key, err := secret.NewKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

// with is the same desk under another policy.
func (d *desk) with(change func(*domain.Policy, *service.Parties)) *desk {
	next := *d
	change(&next.policy, &next.parties)
	next.policy.Scan = next.parties.Scanner != nil
	next.Files = service.New(next.run, next.policy, next.parties)
	return &next
}

// as is the same desk with somebody else at it.
func (d *desk) as(id string) *desk {
	next := *d
	next.caller.ID = uuid.MustParse(id)
	next.run, next.records = optest.Runner(d.t, scope.Request{Tenant: d.tenant.Tenant, Caller: next.caller}, d.tenant.Unit(), d.clock)
	next.Files = service.New(next.run, next.policy, next.parties)
	return &next
}

// beside is the same user in another request.
func (d *desk) beside() *desk { return d.as(d.caller.ID.String()) }

func (d *desk) create(name string, size int64) domain.File {
	d.t.Helper()
	return d.declare(domain.Declaration{Name: name, Size: size}).File
}

func (d *desk) upload(f domain.File, content string) (domain.File, error) {
	d.t.Helper()
	return d.Upload(d.t.Context(), f.ID, service.Body{Reader: strings.NewReader(content), Length: -1})
}

func (d *desk) ready(content string) domain.File {
	d.t.Helper()
	f, err := d.upload(d.create("a", int64(len(content))), content)
	if err != nil {
		d.t.Fatal(err)
	}
	return f
}

// objects are the ids of what the tenant has in the store.
func (d *desk) objects() []uuid.UUID {
	d.t.Helper()
	var found []uuid.UUID
	for object, err := range d.blobs.List(d.t.Context(), d.tenant.Tenant.ID) {
		if err != nil {
			d.t.Fatal(err)
		}
		found = append(found, object.Key.File())
	}
	return found
}

func (d *desk) status(f domain.File) domain.Status {
	d.t.Helper()
	got, err := d.Get(d.t.Context(), f.ID)
	if err != nil {
		d.t.Fatal(err)
	}
	return got.Status
}

// last checks the newest record and that it is one of n.
func (d *desk) last(n int, want op.Def, outcome op.Outcome, code string, about domain.File) op.Entry {
	d.t.Helper()
	entries := d.records.Entries()
	if len(entries) != n {
		d.t.Fatalf("%d records, want %d: %+v", len(entries), n, entries)
	}
	e := entries[n-1]
	if e.Operation != want.Name || e.Outcome != outcome || e.Code != code || e.Target.Kind != "file" || e.Target.ID != about.ID.String() {
		d.t.Errorf("recorded %s %s %s on %+v", e.Operation, e.Outcome, e.Code, e.Target)
	}
	return e
}

func TestCreateUploadDownload(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	ctx, content := t.Context(), "%PDF-1.7\nhello"
	f := d.create("report.pdf", int64(len(content)))
	if f.Status != domain.Pending || f.OwnerID != d.caller.ID || f.SHA256 != nil {
		t.Errorf("created %+v", f)
	}
	d.last(1, service.Create, op.Done, "", f)
	if _, err := d.Download(ctx, f.ID); !errors.Is(err, domain.ErrNotReady) {
		t.Errorf("download of a pending file: %v", err)
	}
	d.clock.Advance(time.Minute)
	filled, err := d.Upload(ctx, f.ID, service.Body{Reader: strings.NewReader(content), Length: f.Size})
	if err != nil {
		t.Fatal(err)
	}
	sum := sha256.Sum256([]byte(content))
	if filled.Status != domain.Ready || filled.ContentType != "application/pdf" || !bytes.Equal(filled.SHA256, sum[:]) ||
		filled.Version != 2 || filled.UpdatedAt != d.clock.Now() {
		t.Errorf("uploaded %+v", filled)
	}
	e := d.last(2, service.Upload, op.Done, "", f)
	if e.Target.Label != "report.pdf" || !reflect.DeepEqual(e.Before, f.View()) || !reflect.DeepEqual(e.After, filled.View()) {
		t.Errorf("recorded %+v", e)
	}
	r, err := d.Download(ctx, f.ID)
	if err != nil {
		t.Fatal(err)
	}
	for _, part := range []struct {
		from, length int64
	}{{0, f.Size}, {5, 4}} {
		body, err := r.Open(ctx, part.from, part.length)
		if err != nil {
			t.Fatal(err)
		}
		if got, err := io.ReadAll(body); err != nil || string(got) != content[part.from:part.from+part.length] {
			t.Errorf("read %q, %v", got, err)
		}
		body.Close()
	}
	if len(d.records.Entries()) != 2 {
		t.Error("reading was recorded")
	}
}

func TestCreateRefuses(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	for _, tc := range []struct {
		in   domain.Declaration
		want error
	}{
		{domain.Declaration{Name: "a/b", Size: 1}, domain.ErrInvalid},
		{domain.Declaration{Name: "a", Size: limit + 1}, domain.ErrTooLarge},
	} {
		if _, err := d.Create(t.Context(), tc.in); !errors.Is(err, tc.want) {
			t.Errorf("%+v: %v", tc.in, err)
		}
	}
	p, err := d.List(t.Context(), domain.AnySpec(), page.Request{Limit: 10})
	if err != nil || len(p.Items) != 0 {
		t.Errorf("stored %+v, %v", p.Items, err)
	}
}

// unread fails when it is read.
type unread struct{ t *testing.T }

func (u unread) Read([]byte) (int, error) {
	u.t.Error("the body was read")
	return 0, io.EOF
}

func TestUploadOfAnotherLengthLeavesNothing(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	f := d.create("a", 5)
	bodies := []service.Body{
		{Reader: strings.NewReader("1234"), Length: -1},
		{Reader: strings.NewReader("123456"), Length: -1},
		{Reader: strings.NewReader(""), Length: -1},
		{Reader: strings.NewReader("1234"), Length: 5},
		{Reader: unread{t}, Length: 4},
		{Reader: unread{t}, Length: 6},
	}
	for i, body := range bodies {
		if _, err := d.Upload(t.Context(), f.ID, body); !errors.Is(err, domain.ErrSize) {
			t.Errorf("body %d: %v", i, err)
		}
		d.last(2+i, service.Upload, op.Failed, domain.ErrSize.Code, f)
	}
	if status, objects := d.status(f), d.objects(); status != domain.Pending || len(objects) != 0 {
		t.Errorf("%s, objects %v", status, objects)
	}
	if _, err := d.upload(f, "12345"); err != nil {
		t.Errorf("the right content afterwards: %v", err)
	}
}

func TestUploadTwice(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	f := d.ready("first")
	if _, err := d.Upload(t.Context(), f.ID, service.Body{Reader: unread{t}, Length: 5}); !errors.Is(err, domain.ErrFilled) {
		t.Errorf("second upload: %v", err)
	}
	d.last(3, service.Upload, op.Failed, domain.ErrFilled.Code, f)
	if objects := d.objects(); len(objects) != 1 || objects[0] != f.Object {
		t.Errorf("objects %v, want %s", objects, f.Object)
	}
}

// meanwhile runs something once, when its content is read to the end.
type meanwhile struct {
	io.Reader
	do func()
}

func (m *meanwhile) Read(p []byte) (int, error) {
	n, err := m.Reader.Read(p)
	if err == io.EOF && m.do != nil {
		do := m.do
		m.do = nil
		do()
	}
	return n, err
}

func TestOfTwoUploadsAtOnceTheFirstToArriveWins(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	f := d.create("a", 5)
	var winner domain.File
	slow := &meanwhile{Reader: strings.NewReader("slow!"), do: func() {
		var err error
		if winner, err = d.upload(f, "quick"); err != nil {
			t.Errorf("the quick one: %v", err)
		}
	}}
	if _, err := d.Upload(t.Context(), f.ID, service.Body{Reader: slow, Length: 5}); !errors.Is(err, domain.ErrFilled) {
		t.Errorf("the slow one: %v", err)
	}
	if objects := d.objects(); len(objects) != 1 || objects[0] != winner.Object {
		t.Fatalf("objects %v, want %s", objects, winner.Object)
	}
	if got := d.read(f); got != "quick" {
		t.Errorf("content %q", got)
	}
}

func (d *desk) read(f domain.File) string {
	d.t.Helper()
	r, err := d.Download(d.t.Context(), f.ID)
	if err != nil {
		d.t.Fatal(err)
	}
	body, err := r.Open(d.t.Context(), 0, r.File.Size)
	if err != nil {
		d.t.Fatal(err)
	}
	defer body.Close()
	got, err := io.ReadAll(body)
	if err != nil {
		d.t.Fatal(err)
	}
	return string(got)
}

func TestUploadOfAFileThatGoesAway(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	f := d.create("a", 5)
	body := &meanwhile{Reader: strings.NewReader("12345"), do: func() {
		if err := d.Delete(t.Context(), f.ID, domain.AnyVersion); err != nil {
			t.Error(err)
		}
	}}
	if _, err := d.Upload(t.Context(), f.ID, service.Body{Reader: body, Length: 5}); !errors.Is(err, domain.ErrNotFound) {
		t.Errorf("upload: %v", err)
	}
	if objects := d.objects(); len(objects) != 0 {
		t.Errorf("left behind: %v", objects)
	}
}

func TestUploadWithTheStoreAway(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	f := d.create("a", 5)
	d.blobs.FailWith(s3x.ErrUnavailable)
	if _, err := d.upload(f, "12345"); !errors.Is(err, errs.ErrUnavailable) {
		t.Errorf("upload: %v", err)
	}
	d.last(2, service.Upload, op.Failed, errs.ErrUnavailable.Code, f)
	if !strings.Contains(d.log.String(), "object left behind") {
		t.Errorf("what may be left behind is not logged: %s", d.log)
	}
	d.blobs.FailWith(nil)
	if status, objects := d.status(f), d.objects(); status != domain.Pending || len(objects) != 0 {
		t.Errorf("%s, objects %v", status, objects)
	}
	if _, err := d.upload(f, "12345"); err != nil {
		t.Errorf("with the store back: %v", err)
	}
	d.blobs.FailWith(s3x.ErrUnavailable)
	r, err := d.Download(t.Context(), f.ID)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := r.Open(t.Context(), 0, 5); !errors.Is(err, errs.ErrUnavailable) {
		t.Errorf("download: %v", err)
	}
}

// unitOf fails commits as a broken connection does.
type unitOf struct {
	uow.Unit
	commit error // what Write returns after
	lost   bool  // the transaction, instead of only the answer
}

func (u *unitOf) Write(ctx context.Context, fn func(uow.Tx) error) error {
	if u.commit == nil {
		return u.Unit.Write(ctx, fn)
	}
	err := u.Unit.Write(ctx, func(tx uow.Tx) error {
		if err := fn(tx); err != nil || !u.lost {
			return err
		}
		return u.commit
	})
	return errors.Join(u.commit, err)
}

func TestUploadWhoseCommitFails(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name   string
		lost   bool
		status domain.Status
	}{
		{"and is rolled back", true, domain.Pending},
		{"to answer, but is durable", false, domain.Ready},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			var unit *unitOf
			d := deskOver(t, func(u uow.Unit) uow.Unit {
				unit = &unitOf{Unit: u, lost: tc.lost}
				return unit
			})
			f := d.create("a", 5)
			unit.commit = errs.ErrUnavailable
			if _, err := d.upload(f, "12345"); !errors.Is(err, errs.ErrUnavailable) {
				t.Fatalf("upload: %v", err)
			}
			unit.commit = nil
			got, err := d.Get(t.Context(), f.ID)
			if err != nil || got.Status != tc.status {
				t.Fatalf("%s, %v", got.Status, err)
			}
			objects := d.objects()
			if tc.status == domain.Pending && len(objects) != 0 {
				t.Errorf("left behind: %v", objects)
			}
			if tc.status == domain.Ready && d.read(f) != "12345" {
				t.Error("the content of a ready file is gone")
			}
		})
	}
}

// Not parallel: it counts the connections of the pool that all tests share.
func TestNoConnectionIsHeldDuringATransfer(t *testing.T) {
	d := newDesk(t)
	f := d.create("a", 5)
	during := -1
	// What came before may give its connection back a moment later; one that the transfer holds stays in use.
	body := &meanwhile{Reader: strings.NewReader("12345"), do: func() {
		for end := time.Now().Add(time.Second); during != 0 && time.Now().Before(end); runtime.Gosched() {
			during = int(d.tenant.Pool.Stats(tenancy.MainPlacement).InUse)
		}
	}}
	if _, err := d.Upload(t.Context(), f.ID, service.Body{Reader: body, Length: 5}); err != nil {
		t.Fatal(err)
	}
	if during != 0 {
		t.Errorf("%d connections in use during the transfer", during)
	}
}

func TestDelete(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	f := d.ready("12345")
	if err := d.Delete(t.Context(), f.ID, f.Version+1); !errors.Is(err, errs.ErrPreconditionFailed) {
		t.Errorf("another version: %v", err)
	}
	d.last(3, service.Delete, op.Failed, errs.ErrPreconditionFailed.Code, f)
	if d.read(f) != "12345" {
		t.Error("a refused deletion took the content")
	}
	if err := d.Delete(t.Context(), f.ID, f.Version); err != nil {
		t.Fatal(err)
	}
	e := d.last(4, service.Delete, op.Done, "", f)
	if e.Target.Label != "a" || !reflect.DeepEqual(e.Before, f.View()) || e.After.(domain.View).Status != domain.Deleted {
		t.Errorf("recorded %+v", e)
	}
	if _, err := d.Download(t.Context(), f.ID); !errors.Is(err, domain.ErrDeleted) {
		t.Errorf("download of a deleted file: %v", err)
	}
	d.usage(5, 1)
	if err := d.Delete(t.Context(), f.ID, domain.AnyVersion); err != nil {
		t.Fatal(err)
	}
	if _, err := d.Get(t.Context(), f.ID); !errors.Is(err, domain.ErrNotFound) {
		t.Errorf("afterwards: %v", err)
	}
	d.nothingLeft()
	d.usage(0, 0)
}

// usage checks what the files of the tenant take up.
func (d *desk) usage(bytes, files int64) {
	d.t.Helper()
	room, err := d.Room(d.t.Context())
	if err != nil || room.Bytes != bytes || room.Files != files {
		d.t.Errorf("%d bytes in %d files are taken, want %d in %d; %v", room.Bytes, room.Files, bytes, files, err)
	}
}

func TestDeleteForGoodWithTheStoreAwayDeletesTheFile(t *testing.T) {
	t.Parallel()
	d := newDesk(t).with(func(p *domain.Policy, _ *service.Parties) { p.Retention = 0 })
	f := d.ready("12345")
	d.blobs.FailWith(s3x.ErrUnavailable)
	if err := d.Delete(t.Context(), f.ID, domain.AnyVersion); err != nil {
		t.Fatal(err)
	}
	if _, err := d.Get(t.Context(), f.ID); !errors.Is(err, domain.ErrNotFound) {
		t.Errorf("afterwards: %v", err)
	}
	if !strings.Contains(d.log.String(), f.Object.String()) {
		t.Errorf("the object left behind is not logged: %s", d.log)
	}
}

func TestDeleteThatIsRolledBackKeepsTheContent(t *testing.T) {
	t.Parallel()
	var unit *unitOf
	d := deskOver(t, func(u uow.Unit) uow.Unit {
		unit = &unitOf{Unit: u, lost: true}
		return unit
	})
	f := d.ready("12345")
	unit.commit = errs.ErrUnavailable
	if err := d.Delete(t.Context(), f.ID, domain.AnyVersion); !errors.Is(err, errs.ErrUnavailable) {
		t.Fatalf("delete: %v", err)
	}
	unit.commit = nil
	if got := d.read(f); got != "12345" {
		t.Errorf("content %q", got)
	}
}

func TestFilesOfAnotherTenantDoNotExist(t *testing.T) {
	t.Parallel()
	ours, theirs := newDesk(t), newDesk(t)
	f := ours.ready("12345")
	ctx := t.Context()
	_, get := theirs.Get(ctx, f.ID)
	theirs.last(1, service.Get, op.Failed, domain.ErrNotFound.Code, f)
	_, download := theirs.Download(ctx, f.ID)
	theirs.last(2, service.Download, op.Failed, domain.ErrNotFound.Code, f)
	_, upload := theirs.Upload(ctx, f.ID, service.Body{Reader: unread{t}, Length: 5})
	theirs.last(3, service.Upload, op.Failed, domain.ErrNotFound.Code, f)
	remove := theirs.Delete(ctx, f.ID, domain.AnyVersion)
	theirs.last(4, service.Delete, op.Failed, domain.ErrNotFound.Code, f)
	for name, err := range map[string]error{"get": get, "download": download, "upload": upload, "delete": remove} {
		if !errors.Is(err, domain.ErrNotFound) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if p, err := theirs.List(ctx, domain.AnySpec(), page.Request{Limit: 10}); err != nil || len(p.Items) != 0 {
		t.Errorf("list: %+v, %v", p.Items, err)
	}
	if ours.read(f) != "12345" {
		t.Error("another tenant changed the file")
	}
}

// nobody denies everything.
type nobody struct{}

func (nobody) Decide(scope.Request, op.Def) op.Decision { return op.Decision{} }

func TestDeniedUploadIsNeitherReadNorRecordedTwice(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	f := d.create("a", 5)
	records := &optest.Records{}
	r := scope.Request{Tenant: d.tenant.Tenant, Caller: d.caller}
	run := op.NewRunner(r, d.tenant.Unit(), nobody{}, records, d.clock, id.System{}, slog.New(slog.DiscardHandler))
	denied := service.New(run, d.policy, d.parties)
	if _, err := denied.Upload(t.Context(), f.ID, service.Body{Reader: unread{t}, Length: 5}); !errors.Is(err, errs.ErrForbidden) {
		t.Errorf("got %v", err)
	}
	if entries := records.Entries(); len(entries) != 1 || entries[0].Outcome != op.Denied || entries[0].Operation != service.Upload.Name {
		t.Errorf("recorded %+v", entries)
	}
}
