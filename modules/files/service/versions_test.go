package service_test

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/google/uuid"
	"pgregory.net/rapid"

	"github.com/insulahq/insula/modules/files/domain"
	"github.com/insulahq/insula/modules/files/service"
	"github.com/insulahq/insula/platform/page"
)

// version makes a ready file of this name and content.
func (d *desk) version(name, content string) domain.File {
	d.t.Helper()
	d.clock.Advance(time.Second)
	f, err := d.upload(d.create(name, int64(len(content))), content)
	if err != nil {
		d.t.Fatal(err)
	}
	return f
}

// line are the versions of a file, newest first.
func (d *desk) line(f domain.File) []domain.File {
	d.t.Helper()
	p, err := d.Versions(d.t.Context(), f.ID, page.Request{Limit: 100})
	if err != nil {
		d.t.Fatal(err)
	}
	return p.Items
}

func (d *desk) listed() []domain.File {
	d.t.Helper()
	p, err := d.List(d.t.Context(), domain.AnySpec(), page.Request{Limit: 100})
	if err != nil {
		d.t.Fatal(err)
	}
	return p.Items
}

func TestANewUploadKeepsTheEarlierVersion(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	first, second := d.version("a", "one"), d.version("a", "second")
	if line := d.line(first); len(line) != 2 || line[0].ID != second.ID || line[0].Earlier() || !line[1].Earlier() || line[1].Line != second.Line {
		t.Fatalf("versions %+v", line)
	}
	if listed := d.listed(); len(listed) != 1 || listed[0].ID != second.ID {
		t.Errorf("listed %+v", listed)
	}
	if d.read(first) != "one" || d.read(second) != "second" {
		t.Error("a version reads as another")
	}
	d.usage(9, 2)
	if err := d.Delete(t.Context(), first.ID, domain.AnyVersion); err != nil {
		t.Fatal(err)
	}
	if err := d.Delete(t.Context(), first.ID, domain.AnyVersion); err != nil {
		t.Fatal(err)
	}
	d.usage(6, 1)
	if d.read(second) != "second" {
		t.Error("deleting a version took another")
	}
}

func TestDeletedVersionsComeBackTogether(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	apart, first, second := d.version("a", "apart"), d.version("a", "one"), d.version("a", "second")
	if err := d.Delete(t.Context(), apart.ID, domain.AnyVersion); err != nil {
		t.Fatal(err)
	}
	d.clock.Advance(time.Second)
	if err := d.Delete(t.Context(), second.ID, domain.AnyVersion); err != nil {
		t.Fatal(err)
	}
	if len(d.listed()) != 0 || d.status(first) != domain.Deleted {
		t.Error("an earlier version took the place of a deleted file")
	}
	taken := d.version("a", "taken")
	if taken.Line == second.Line {
		t.Error("a new file goes on with the versions of a deleted one")
	}
	for _, f := range []domain.File{second, first} {
		if _, err := d.Undelete(t.Context(), f.ID); !errors.Is(err, domain.ErrNameTaken) {
			t.Errorf("undelete of %s in a place that is taken: %v", f.ID, err)
		}
	}
	name := "b"
	if _, err := d.Update(t.Context(), taken.ID, domain.AnyVersion, domain.Change{Name: &name}); err != nil {
		t.Fatal(err)
	}
	if back, err := d.Undelete(t.Context(), second.ID); err != nil || back.Status != domain.Ready {
		t.Fatalf("undelete: %+v, %v", back, err)
	}
	if d.status(first) != domain.Ready || d.status(apart) != domain.Deleted {
		t.Errorf("with it came %s and %s", d.status(first), d.status(apart))
	}
	if _, err := d.Undelete(t.Context(), second.ID); !errors.Is(err, domain.ErrNotDeleted) {
		t.Errorf("undelete twice: %v", err)
	}
	if d.read(second) != "second" {
		t.Error("its content did not come back")
	}
}

func TestAnEarlierVersionOfAFileThatIsGoneTakesTheName(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	first, second := d.version("a", "one"), d.version("a", "second")
	if err := d.Delete(t.Context(), first.ID, domain.AnyVersion); err != nil {
		t.Fatal(err)
	}
	d.clock.Advance(time.Second)
	for range 2 {
		if err := d.Delete(t.Context(), second.ID, domain.AnyVersion); err != nil {
			t.Fatal(err)
		}
	}
	back, err := d.Undelete(t.Context(), first.ID)
	if err != nil || back.Earlier() || back.Status != domain.Ready {
		t.Errorf("undelete: %+v, %v", back, err)
	}
}

// TestDeletedVersionsAreListed, earlier ones too: they take up room until they
// are gone, and whoever wants that back must find them.
func TestDeletedVersionsAreListed(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	first, second := d.version("a", "one"), d.version("a", "second")
	if err := d.Delete(t.Context(), first.ID, domain.AnyVersion); err != nil {
		t.Fatal(err)
	}
	spec := domain.AnySpec()
	spec.Status = domain.Deleted
	p, err := d.List(t.Context(), spec, page.Request{Limit: 10})
	if err != nil || len(p.Items) != 1 || p.Items[0].ID != first.ID || !p.Items[0].Earlier() {
		t.Errorf("deleted: %+v, %v", p.Items, err)
	}
	if listed := d.listed(); len(listed) != 1 || listed[0].ID != second.ID {
		t.Errorf("listed: %+v", listed)
	}
}

// TestAVersionComesBackToALineThatHasAHead by now: as an earlier version of it,
// which can be restored.
func TestAVersionComesBackToALineThatHasAHead(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	first, second := d.version("a", "one"), d.version("a", "second")
	if err := d.Delete(t.Context(), second.ID, domain.AnyVersion); err != nil {
		t.Fatal(err)
	}
	d.clock.Advance(time.Second)
	if back, err := d.Undelete(t.Context(), first.ID); err != nil || back.Earlier() {
		t.Fatalf("the first: %+v, %v", back, err)
	}
	if back, err := d.Undelete(t.Context(), second.ID); err != nil || !back.Earlier() || back.Status != domain.Ready {
		t.Fatalf("the second: %+v, %v", back, err)
	}
	if listed := d.listed(); len(listed) != 1 || listed[0].ID != first.ID {
		t.Errorf("listed %+v", listed)
	}
	if restored, err := d.Restore(t.Context(), second.ID); err != nil || restored.Earlier() || d.read(second) != "second" {
		t.Errorf("restored: %+v, %v", restored, err)
	}
}

// TestOneVersionCarriesAName: whatever is done in whatever order, a name has
// at most one current version, a line at most one head, no version is gone but
// by its deletion, and the quota is what the rows add up to.
func TestOneVersionCarriesAName(t *testing.T) {
	t.Parallel()
	d := newDesk(t).with(func(p *domain.Policy, _ *service.Parties) { p.QuotaFiles, p.QuotaBytes = 10_000, 10_000 })
	round := 0
	rapid.Check(t, func(rt *rapid.T) {
		round++
		named := func(letter string) string { return fmt.Sprint(letter, round) }
		before, err := d.Room(t.Context())
		if err != nil {
			rt.Fatal(err)
		}
		var all []uuid.UUID
		for range rapid.IntRange(8, 32).Draw(rt, "steps") {
			d.clock.Advance(time.Second)
			act := rapid.SampledFrom([]string{"upload", "upload", "delete", "undelete", "restore", "rename", "lose", "find"}).Draw(rt, "act")
			if act == "upload" || len(all) == 0 {
				all = append(all, d.version(named(rapid.SampledFrom([]string{"a", "a", "b"}).Draw(rt, "name")), "x").ID)
				continue
			}
			id := rapid.SampledFrom(all).Draw(rt, "which")
			switch act {
			case "delete":
				_ = d.Delete(t.Context(), id, domain.AnyVersion) // it may be gone already
			case "undelete":
				_, _ = d.Undelete(t.Context(), id) // it may not be deleted, or its name taken
			case "restore":
				_, _ = d.Restore(t.Context(), id) // it may be current
			case "rename":
				name := named(rapid.SampledFrom([]string{"a", "b", "c"}).Draw(rt, "new name"))
				_, _ = d.Update(t.Context(), id, domain.AnyVersion, domain.Change{Name: &name}) // it may be taken
			case "lose":
				f, _ := d.Get(t.Context(), id)
				_, _ = d.Lose(t.Context(), id, f.Object) // it may be gone, or lost already
			case "find":
				sum := sha256.Sum256([]byte("x"))
				_, _ = d.Find(t.Context(), id, domain.Content{Size: 1, SHA256: sum[:]}) // it may not be lost
			}
		}
		d.check(rt, all, before.Files)
	})
}

// check looks at all files of a round, before which others were there.
func (d *desk) check(rt *rapid.T, all []uuid.UUID, others int64) {
	current, lines, heads, left := map[string]uuid.UUID{}, map[uuid.UUID]string{}, map[uuid.UUID]uuid.UUID{}, int64(0)
	for _, id := range all {
		f, err := d.Get(d.t.Context(), id)
		if errors.Is(err, domain.ErrNotFound) {
			continue
		}
		if err != nil {
			rt.Fatal(err)
		}
		left++
		if name, known := lines[f.Line]; known && name != f.Name {
			rt.Fatalf("versions of one file are called %s and %s", name, f.Name)
		}
		lines[f.Line] = f.Name
		if f.Heads() {
			if other, twice := heads[f.Line]; twice {
				rt.Fatalf("%s and %s both head one line", other, id)
			}
			heads[f.Line] = id
		}
		if f.Status != domain.Ready || f.Earlier() {
			continue
		}
		if other, twice := current[f.Name]; twice {
			rt.Fatalf("%s and %s both are %s", other, id, f.Name)
		}
		current[f.Name] = id
	}
	room, err := d.Room(d.t.Context())
	if err != nil || room.Files != others+left || room.Bytes != others+left {
		rt.Fatalf("%d files are counted, %d are there; %v", room.Files-others, left, err)
	}
}
