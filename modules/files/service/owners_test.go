package service_test

import (
	"errors"
	"log/slog"
	"slices"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/insulahq/insula/modules/files/domain"
	"github.com/insulahq/insula/modules/files/service"
	"github.com/insulahq/insula/platform/errs"
	"github.com/insulahq/insula/platform/id"
	"github.com/insulahq/insula/platform/op"
	"github.com/insulahq/insula/platform/optest"
	"github.com/insulahq/insula/platform/scope"
)

// role is a decision maker for who holds these operations and no others.
type role []op.Def

// Decide implements op.Decider.
func (r role) Decide(_ scope.Request, d op.Def) op.Decision {
	if slices.ContainsFunc(r, func(held op.Def) bool { return held.Name == d.Name }) {
		return op.Decision{Allow: true, Rule: "role"}
	}
	return op.Decision{IfOwner: d.OwnerToo, Rule: "owner only"}
}

// uploader is who can send files, and nothing else.
var uploader = role{service.Create, service.Upload, service.Parts, service.Complete}

// holding is somebody else at the same desk, with a role.
func (d *desk) holding(r role) *desk {
	next := *d
	next.caller.ID, next.records = uuid.New(), &optest.Records{}
	next.run = op.NewRunner(scope.Request{Tenant: d.tenant.Tenant, Caller: next.caller}, d.tenant.Unit(), r, next.records, d.clock,
		id.System{}, slog.New(slog.DiscardHandler))
	next.Files = service.New(next.run, next.policy, next.parties)
	return &next
}

// with gives a role more operations.
func (r role) with(more ...op.Def) role { return append(slices.Clone(r), more...) }

// TestNobodyTakesThePlaceOfSomebodyElsesFile without the permission to change
// it: neither by declaring one of that name, nor when the name was taken
// since.
func TestNobodyTakesThePlaceOfSomebodyElsesFile(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	ada, bob := d.holding(uploader), d.holding(uploader)
	early := bob.create("a", 3)
	f := ada.version("a", "ada's")
	if _, err := bob.Create(t.Context(), domain.Declaration{Name: "a", Size: 3}); !errors.Is(err, domain.ErrNotReplaced) || errs.KindOf(err) != errs.Forbidden {
		t.Errorf("declared: %v", err)
	}
	if _, err := bob.upload(early, "bob"); !errors.Is(err, domain.ErrNotReplaced) {
		t.Errorf("uploaded: %v", err)
	}
	d.usage(5+3, 2)
	if d.read(f) != "ada's" || d.status(early) != domain.Pending || len(d.objects()) != 1 {
		t.Errorf("%s, %d objects", d.status(early), len(d.objects()))
	}
	if second := ada.version("a", "again"); len(d.line(second)) != 2 {
		t.Error("the owner has not replaced what is hers")
	}
	editor := d.holding(uploader.with(service.Update))
	if third := editor.version("a", "third"); len(d.line(third)) != 3 {
		t.Error("who may change files has not replaced one")
	}
}

// TestExaminedContentTakesNobodysPlace: the name went to somebody else while
// content was read. It is thrown away, unless its sender might replace that.
func TestExaminedContentTakesNobodysPlace(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		role   role
		status domain.Status
		reason string
	}{
		"who sends files":   {uploader, domain.Pending, domain.ErrNotReplaced.Code},
		"who changes files": {uploader.with(service.Update), domain.Ready, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := newDesk(t)
			bob := d.holding(tc.role).with(scanned)
			held, err := bob.upload(bob.create("a", 3), "bob")
			if err != nil || held.Status != domain.Scanning {
				t.Fatalf("%s, %v", held.Status, err)
			}
			f := d.version("a", "ada's")
			if err := d.with(scanned).Examine(t.Context(), service.Examination{File: held.ID, Object: held.Object}); err != nil {
				t.Fatal(err)
			}
			got, err := d.Get(t.Context(), held.ID)
			if err != nil || got.Status != tc.status || got.Reason != tc.reason {
				t.Errorf("%s, %q, %v", got.Status, got.Reason, err)
			}
			if after, err := d.Get(t.Context(), f.ID); err != nil || after.Earlier() != (tc.status == domain.Ready) {
				t.Errorf("%+v, %v", after, err)
			}
			if _, err := bob.Complete(t.Context(), held.ID); tc.reason != "" && err == nil {
				t.Error("completing again says that all is well")
			}
		})
	}
}

// TestOwnersDeleteTheirOwnAlone: who replaced a file of somebody else while
// they might, and may delete nothing but what is theirs, deletes neither it nor
// what it replaced; an earlier version of their own they do.
func TestOwnersDeleteTheirOwnAlone(t *testing.T) {
	t.Parallel()
	for name, retention := range map[string]time.Duration{"to be had back": 24 * time.Hour, "for good": 0} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := newDesk(t).with(func(p *domain.Policy, _ *service.Parties) { p.Retention = retention })
			bob := d.holding(uploader.with(service.Update))
			own := bob.version("a", "bob's")
			first := d.version("a", "ada's")
			second := bob.version("a", "bob")
			if err := bob.Delete(t.Context(), second.ID, domain.AnyVersion); !errors.Is(err, errs.ErrForbidden) {
				t.Errorf("the current version: %v", err)
			}
			bob.last(5, service.Delete, op.Denied, errs.ErrForbidden.Code, second)
			for _, f := range []domain.File{own, first, second} {
				if d.status(f) != domain.Ready {
					t.Errorf("%s is %s", f.ID, d.status(f))
				}
			}
			if err := bob.Delete(t.Context(), own.ID, domain.AnyVersion); err != nil {
				t.Errorf("an earlier version of their own: %v", err)
			}
		})
	}
}

// TestOwnersPurgeTheirOwnAlone: what was deleted together is not purged by who
// owns a part of it.
func TestOwnersPurgeTheirOwnAlone(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	bob := d.holding(uploader.with(service.Update))
	first, second := d.version("a", "ada's"), bob.version("a", "bob")
	if err := d.Delete(t.Context(), second.ID, domain.AnyVersion); err != nil {
		t.Fatal(err)
	}
	if err := bob.Delete(t.Context(), second.ID, domain.AnyVersion); !errors.Is(err, errs.ErrForbidden) {
		t.Errorf("%v", err)
	}
	if d.status(first) != domain.Deleted || d.status(second) != domain.Deleted {
		t.Errorf("%s and %s", d.status(first), d.status(second))
	}
	d.usage(5+3, 2)
}

// TestOwnersSeeTheirOwnVersions, and who may see those of everybody sees all.
func TestOwnersSeeTheirOwnVersions(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	bob := d.holding(uploader.with(service.Update))
	d.version("a", "ada's")
	second := bob.version("a", "bob")
	d.version("a", "ada's again")
	if line := bob.line(second); len(line) != 1 || line[0].ID != second.ID {
		t.Errorf("the owner of one sees %+v", line)
	}
	if line := d.holding(role{service.Versions}).line(second); len(line) != 3 {
		t.Errorf("who may see all sees %+v", line)
	}
}
