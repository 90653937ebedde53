package domain_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"pgregory.net/rapid"

	"github.com/insulahq/insula/modules/files/domain"
	"github.com/insulahq/insula/platform/errs"
)

func TestHowContentIsSent(t *testing.T) {
	through := policy
	through.Direct = false
	for _, tc := range []struct {
		p      domain.Policy
		size   int64
		method domain.Method
		parts  int32
	}{
		{policy, 0, domain.Through, 0},
		{policy, 1, domain.Put, 0},
		{policy, 10, domain.Put, 0},
		{policy, 11, domain.Multipart, 3},
		{policy, 12, domain.Multipart, 3},
		{policy, 13, domain.Multipart, 4},
		{through, 50, domain.Through, 0},
	} {
		f, u, err := domain.Declare(fileID, object, owner, domain.Declaration{Name: "a", Size: tc.size}, tc.p, now)
		if err != nil || u.Method != tc.method || u.Parts(f.Size) != tc.parts || u.Object != object || !u.ExpiresAt.Equal(now.Add(time.Hour)) {
			t.Errorf("%d bytes: %+v, %d parts, %v", tc.size, u, u.Parts(f.Size), err)
		}
	}
}

// TestParts: whatever the size, there are at most ten thousand parts, they add
// up to it, and all but the last are alike.
func TestParts(t *testing.T) {
	p := policy
	p.MaxBytes, p.PartSize = 5<<40, 16<<20
	rapid.Check(t, func(rt *rapid.T) {
		size := rapid.Int64Range(11, p.MaxBytes).Draw(rt, "size")
		_, u, err := domain.Declare(fileID, object, owner, domain.Declaration{Name: "a", Size: size}, p, now)
		if err != nil {
			rt.Fatal(err)
		}
		n := u.Parts(size)
		sizes, err := u.PartSizes(size, []int32{1, n})
		if err != nil || n > 10_000 || u.PartSize < p.PartSize {
			rt.Fatalf("%d parts of %d, %v", n, u.PartSize, err)
		}
		if last := size - int64(n-1)*u.PartSize; sizes[1] != last || last < 1 || last > u.PartSize || n > 1 && sizes[0] != u.PartSize {
			rt.Fatalf("%d parts: first %d, last %d, of %d", n, sizes[0], sizes[1], size)
		}
		for _, none := range []int32{0, -1, n + 1} {
			if _, err := u.PartSizes(size, []int32{none}); !errors.Is(err, domain.ErrInvalid) {
				rt.Fatalf("part %d of %d: %v", none, n, err)
			}
		}
	})
}

func TestWhole(t *testing.T) {
	_, u, err := domain.Declare(fileID, object, owner, domain.Declaration{Name: "a", Size: 11}, policy, now)
	if err != nil {
		t.Fatal(err)
	}
	all := []domain.Stored{{Number: 1, Size: 4}, {Number: 2, Size: 4}, {Number: 3, Size: 3}}
	if err := u.Whole(11, all); err != nil {
		t.Errorf("all parts: %v", err)
	}
	small := slices.Clone(all)
	small[0].Size = 3
	for name, stored := range map[string][]domain.Stored{"part 1": all[1:], "part 2": {all[0], all[2]}, "part 1 part 3": small[:2], "part 1 part 2 part 3": nil} {
		e, _ := errs.As(u.Whole(11, stored))
		if e == nil || !errors.Is(e, domain.ErrIncomplete) {
			t.Errorf("%s is missing: %v", name, e)
			continue
		}
		var named []string
		for _, f := range e.Fields {
			named = append(named, f.Pointer)
		}
		if got := strings.Join(named, " "); got != name {
			t.Errorf("names %q, want %q", got, name)
		}
	}
}

func TestDeclareNamesWhatIsWrong(t *testing.T) {
	for pointer, d := range map[string]domain.Declaration{
		"#/folder":   {Name: "a", Folder: "a/../b"},
		"#/sha256":   {Name: "a", SHA256: "abc"},
		"#/metadata": {Name: "a", Metadata: domain.Metadata{"Upper": "x"}},
	} {
		_, _, err := domain.Declare(fileID, object, owner, d, policy, now)
		e, _ := errs.As(err)
		if e == nil || !errors.Is(e, domain.ErrInvalid) || len(e.Fields) != 1 || e.Fields[0].Pointer != pointer {
			t.Errorf("%s: %v", pointer, err)
		}
	}
}

func TestMetadataIsBounded(t *testing.T) {
	most := domain.Metadata{}
	for i := range 32 {
		most[fmt.Sprintf("k%d", i)] = strings.Repeat("ä", 500)
	}
	if f, _, err := domain.Declare(fileID, object, owner, domain.Declaration{Name: "a", Metadata: most}, policy, now); err != nil || len(f.Metadata) != 32 {
		t.Errorf("as much as allowed: %d, %v", len(f.Metadata), err)
	}
	more := domain.Metadata{"one": "too many"}
	for k := range most {
		more[k] = ""
	}
	for name, m := range map[string]domain.Metadata{
		"too many": more, "long key": {"k" + strings.Repeat("x", 64): ""}, "empty key": {"": ""}, "long value": {"a": strings.Repeat("ä", 501)},
		"zero": {"a": "\x00"}, "no text": {"a": "\xff"},
	} {
		if _, _, err := domain.Declare(fileID, object, owner, domain.Declaration{Name: "a", Metadata: m}, policy, now); !errors.Is(err, domain.ErrInvalid) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestFolders(t *testing.T) {
	for path, want := range map[string]string{
		"": "", "/": "", "a": "a/", "/a/": "a/", "a/b c/": "a/b c/", "e\u0301": "é/", strings.Repeat("a/", 20): strings.Repeat("a/", 20),
	} {
		if got, flaw := domain.CleanFolder(path); got != want || flaw != "" {
			t.Errorf("%q is %q, %s", path, got, flaw)
		}
	}
	for _, path := range []string{"a//b", "//", "..", "a/./b", `a\b`, "a/\x00", "a/ /b", strings.Repeat("a/", 21), strings.Repeat(strings.Repeat("x", 200)+"/", 6)} {
		if got, flaw := domain.CleanFolder(path); flaw == "" && path != "//" {
			t.Errorf("%q passes as %q", path, got)
		}
	}
}

// FuzzCleanFolder: a folder that passes is one that cannot be taken for
// another, and stays as it is.
func FuzzCleanFolder(f *testing.F) {
	for _, seed := range []string{"", "/", "a/b/", "a//b", "..", "e\u0301", "a\u202eb", "\xff"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, path string) {
		clean, flaw := domain.CleanFolder(path)
		if flaw != "" {
			return
		}
		if again, flaw := domain.CleanFolder(clean); flaw != "" || again != clean {
			t.Errorf("%q is %q, and then %q, %s", path, clean, again, flaw)
		}
		if clean != "" && (!strings.HasSuffix(clean, "/") || strings.HasPrefix(clean, "/") || strings.Contains(clean, "//") || strings.Contains("/"+clean, "/../")) {
			t.Errorf("%q passes as %q", path, clean)
		}
	})
}

func TestTypesThatAreTaken(t *testing.T) {
	some := domain.Policy{Types: []string{"image/*", "application/pdf"}}
	for kind, want := range map[string]bool{
		"image/png": true, "Image/PNG": true, "application/pdf": true, "application/pdf; x=y": true, "text/plain": false, "imagex/png": false, "application/pdfx": false,
	} {
		if some.Takes(kind) != want || !(domain.Policy{}).Takes(kind) {
			t.Errorf("%s: %v", kind, some.Takes(kind))
		}
	}
	p := policy
	p.Types = some.Types
	if _, _, err := domain.Declare(fileID, object, owner, domain.Declaration{Name: "a", ContentType: "text/html"}, p, now); !errors.Is(err, domain.ErrType) {
		t.Errorf("declared: %v", err)
	}
	if _, _, err := domain.Declare(fileID, object, owner, domain.Declaration{Name: "a"}, p, now); err != nil {
		t.Errorf("what nothing is said of: %v", err)
	}
}

func TestTheLifeOfAFile(t *testing.T) {
	c := domain.Content{Size: 5, ContentType: "text/plain", SHA256: []byte("sum")}
	f := pending(t, 5)
	held, err := f.Hold(object, now)
	if err != nil || held.Status != domain.Scanning || !errors.Is(held.Readable(), domain.ErrNotReady) {
		t.Fatalf("held %+v, %v", held, err)
	}
	if _, err := held.Fill(c, fileID, now); !errors.Is(err, domain.ErrFilled) {
		t.Errorf("filled with another object: %v", err)
	}
	ready, err := held.Fill(c, object, now)
	if err != nil || ready.Readable() != nil {
		t.Fatalf("filled %+v, %v", ready, err)
	}
	bad, err := held.Quarantine(c, "Worm", now)
	if err != nil || bad.Reason != "Worm" || !errors.Is(bad.Readable(), domain.ErrQuarantined) {
		t.Errorf("quarantined %+v, %v", bad, err)
	}
	again, err := held.Refuse(domain.ErrChecksum, now)
	if err != nil || again.Status != domain.Pending || again.Object != uuid.Nil || again.Reason != domain.ErrChecksum.Code {
		t.Errorf("refused %+v, %v", again, err)
	}
	binned := ready.Bin(now)
	if !errors.Is(binned.Readable(), domain.ErrDeleted) {
		t.Error("a deleted file can be read")
	}
	name := "b"
	for what, tc := range map[string]struct{ got, want error }{
		"hold of a ready file":         {second(ready.Hold(object, now)), domain.ErrFilled},
		"refusal of a ready file":      {second(ready.Refuse(domain.ErrSize, now)), domain.ErrFilled},
		"quarantine of a ready file":   {second(ready.Quarantine(c, "x", now)), domain.ErrFilled},
		"fill of a deleted file":       {second(binned.Fill(c, object, now)), domain.ErrFilled},
		"fill of a bad file":           {second(bad.Fill(c, object, now)), domain.ErrFilled},
		"undelete of a ready file":     {second(ready.Undelete(now)), domain.ErrNotDeleted},
		"restore of the current":       {second(ready.Restore(now)), domain.ErrCurrent},
		"restore of a deleted version": {second(binned.Supersede(now).Restore(now)), domain.ErrDeleted},
		"rename of an earlier version": {second(ready.Supersede(now).Change(domain.Change{Name: &name}, now)), domain.ErrEarlier},
		"rename of a deleted file":     {second(binned.Change(domain.Change{Name: &name}, now)), domain.ErrDeleted},
	} {
		if !errors.Is(tc.got, tc.want) {
			t.Errorf("%s: %v", what, tc.got)
		}
	}
}

func second(_ domain.File, err error) error { return err }

func TestArrived(t *testing.T) {
	t.Parallel()
	u := domain.Upload{Method: domain.Multipart, PartSize: 5}
	all := u.Everything(11)
	if len(all) != 3 || all[0].Size != 5 || all[2] != (domain.Stored{Number: 3, Size: 1}) || u.Whole(11, all) != nil {
		t.Errorf("everything is %+v", all)
	}
	stored := []domain.Stored{{Number: 1, Size: 5}, {Number: 2, Size: 3}, {Number: 3, Size: 1}, {Number: 4, Size: 5}}
	if got := u.Arrived(11, stored); len(got) != 2 || got[0].Number != 1 || got[1].Number != 3 || len(stored) != 4 {
		t.Errorf("arrived %+v", got)
	}
}
