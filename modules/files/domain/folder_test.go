package domain

import (
	"strings"
	"testing"

	"github.com/insulahq/insula/platform/page"
)

func TestFolders(t *testing.T) {
	const wide = "漢" // three bytes
	hundred := strings.Repeat(wide, 99) + "/"
	for _, tc := range []struct{ name, in, want, flaw string }{
		{"root", "", "", ""},
		{"root by its slash", "/", "", ""},
		{"one form", "/a/b", "a/b/", ""},
		{"accents are joined", "re\u0301sume\u0301", "résumé/", ""},
		{"deepest", strings.Repeat("a/", maxDepth), strings.Repeat("a/", maxDepth), ""},
		{"too deep", strings.Repeat("a/", maxDepth+1), "", "20 folders"},
		{"longest", strings.Repeat(strings.Repeat("a", 99)+"/", 10), strings.Repeat(strings.Repeat("a", 99)+"/", 10), ""},
		{"too many characters", strings.Repeat(strings.Repeat("a", 99)+"/", 10) + "a", "", "1000 characters"},
		{"widest", strings.Repeat(hundred, 4) + strings.Repeat(wide, 95), strings.Repeat(hundred, 4) + strings.Repeat(wide, 95) + "/", ""},
		{"too many bytes", strings.Repeat(hundred, 4) + strings.Repeat(wide, 96), "", "1480 bytes"},
		{"a parent", "a/../b", "", "stands for a folder"},
		{"nothing between slashes", "a//b", "", "is empty"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			got, flaw := CleanFolder(tc.in)
			if (flaw == "") != (tc.flaw == "") || !strings.Contains(flaw, tc.flaw) {
				t.Fatalf("flaw %q, want %q", flaw, tc.flaw)
			}
			if flaw == "" && (got != tc.want || len(got) > page.MaxText-4*maxName) {
				t.Errorf("got %q", got)
			}
		})
	}
}
