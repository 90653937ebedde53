package domain

import (
	"strings"
	"testing"
)

func TestNames(t *testing.T) {
	long := strings.Repeat("é", maxName)
	for _, tc := range []struct{ name, in, want, flaw string }{
		{"plain", "report.pdf", "report.pdf", ""},
		{"spaces stay", " my report .pdf", " my report .pdf", ""},
		{"another script", "報告書 2026.pdf", "報告書 2026.pdf", ""},
		{"accents are joined", "re\u0301sume\u0301.txt", "résumé.txt", ""},
		{"emoji of several characters", "👩‍👩‍👧.png", "👩‍👩‍👧.png", ""},
		{"hidden file", ".gitignore", ".gitignore", ""},
		{"longest", long, long, ""},
		{"longest once joined", strings.Repeat("e\u0301", maxName), long, ""},
		{"too long", long + "x", "", "255 characters"},
		{"empty", "", "", "empty"},
		{"blank", " \u00a0\u2003", "", "empty"},
		{"folder", ".", "", "folder"},
		{"parent", "..", "", "folder"},
		{"path", "a/b", "", "slash"},
		{"windows path", `a\b`, "", "slash"},
		{"newline", "a\nb", "", "control"},
		{"null", "a\x00", "", "control"},
		{"delete", "a\x7f", "", "control"},
		{"second control block", "a\u0085", "", "control"},
		{"line separator", "a\u2028b", "", "control"},
		{"reads backwards", "photo\u202egpj.exe", "", "control"},
		{"isolated direction", "a\u2066b", "", "control"},
		{"not UTF-8", "a\xffb", "", "UTF-8"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			got, flaw := cleanName(tc.in)
			if (flaw == "") != (tc.flaw == "") || !strings.Contains(flaw, tc.flaw) {
				t.Fatalf("flaw %q, want %q", flaw, tc.flaw)
			}
			if flaw == "" && got != tc.want {
				t.Errorf("got %q", got)
			}
		})
	}
}
