package domain_test

import (
	"path"
	"strings"
	"testing"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/google/uuid"
	"golang.org/x/text/unicode/norm"

	"github.com/insulahq/insula/modules/files/domain"
)

// FuzzNames declares files of any name in any folder. What is taken is one line
// of text in one form, stays inside its folder, and is taken again as it is.
func FuzzNames(f *testing.F) {
	for _, name := range []string{"a.txt", "Bericht für Ada.pdf", "日本語.txt", "..", "a/b", `a\b`, "a\x00b", "\u202Egpj.exe", "e\u0301", "\xff", strings.Repeat("é", 255), strings.Repeat("e\u0301", 300)} {
		f.Add(name, "a/b")
	}
	f.Add("a", "/../..//x")
	p := domain.Policy{MaxBytes: 1, UploadTTL: time.Hour}
	declare := func(name, folder string) (domain.File, error) {
		got, _, err := domain.Declare(uuid.Max, uuid.Max, uuid.Max, domain.Declaration{Name: name, Folder: folder}, p, time.Unix(0, 0))
		return got, err
	}
	f.Fuzz(func(t *testing.T, name, folder string) {
		got, err := declare(name, folder)
		if err != nil {
			return
		}
		if got.Name != norm.NFC.String(name) || !utf8.ValidString(got.Name) || strings.ContainsFunc(got.Folder+got.Name, unicode.IsControl) {
			t.Errorf("%q became %q", name, got.Name)
		}
		if utf8.RuneCountInString(got.Name) > 255 || strings.TrimSpace(got.Name) == "" || strings.ContainsAny(got.Name, "/\\\u2028\u202E") {
			t.Errorf("%q passed as %q", name, got.Name)
		}
		whole := "/" + got.Folder + got.Name
		if path.Clean(whole) != whole || path.Base(whole) != got.Name || got.Folder != "" && !strings.HasSuffix(got.Folder, "/") {
			t.Errorf("%q in %q leads to %q", name, folder, whole)
		}
		if again, err := declare(got.Name, got.Folder); err != nil || again.Name != got.Name || again.Folder != got.Folder {
			t.Errorf("%q in %q is not taken again: %v", got.Name, got.Folder, err)
		}
	})
}

// FuzzContentTypes: a declared type is refused, or kept in a form that is
// taken again and ends no header.
func FuzzContentTypes(f *testing.F) {
	for _, kind := range []string{"text/plain", "text/plain; charset=utf-8", "a/b\r\nX: y", `a/b; c="\""`, "a/b; c*=UTF-8''%e2%82%ac", "text"} {
		f.Add(kind)
	}
	p := domain.Policy{UploadTTL: time.Hour}
	declare := func(kind string) (domain.File, error) {
		got, _, err := domain.Declare(uuid.Max, uuid.Max, uuid.Max, domain.Declaration{Name: "a", ContentType: kind}, p, time.Unix(0, 0))
		return got, err
	}
	f.Fuzz(func(t *testing.T, kind string) {
		got, err := declare(kind)
		if err != nil {
			return
		}
		if got.ContentType == "" || strings.ContainsFunc(got.ContentType, func(r rune) bool { return r < ' ' || r > '~' }) {
			t.Errorf("%q became %q", kind, got.ContentType)
		}
		if again, err := declare(got.ContentType); err != nil || again.ContentType != got.ContentType {
			t.Errorf("%q is not taken again: %q, %v", got.ContentType, again.ContentType, err)
		}
	})
}
