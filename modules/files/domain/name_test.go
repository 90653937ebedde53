package domain

import (
	"strings"
	"testing"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
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

func FuzzName(f *testing.F) {
	for _, name := range []string{"report.pdf", "re\u0301sume\u0301", "報告", "..", "a/b", "a\x00", "\u202e", "\xff", strings.Repeat("e\u0301", 300)} {
		f.Add(name)
	}
	f.Fuzz(func(t *testing.T, name string) {
		clean, flaw := cleanName(name)
		if flaw != "" {
			return
		}
		if again, flaw := cleanName(clean); again != clean || flaw != "" {
			t.Errorf("%q is cleaned to %q and that to %q (%s)", name, clean, again, flaw)
		}
		if !utf8.ValidString(clean) || !norm.NFC.IsNormalString(clean) || utf8.RuneCountInString(clean) > maxName {
			t.Errorf("%q passed as %q", name, clean)
		}
		if strings.ContainsAny(clean, "/\\\x00\r\n\u2028\u202e") || strings.TrimSpace(clean) == "" {
			t.Errorf("%q passed as %q", name, clean)
		}
	})
}
