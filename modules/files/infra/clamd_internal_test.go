package infra

import (
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"
)

// FuzzAnswer: whatever a scanner says, content is let in by one answer alone,
// and what was found can be kept and shown as one line.
func FuzzAnswer(f *testing.F) {
	for _, answer := range []string{
		"stream: OK\x00", "stream: Eicar-Test-Signature FOUND\x00", "stream:  FOUND\x00", "stream: \xff FOUND\x00", "stream: a\nb FOUND\x00",
		"INSTREAM size limit exceeded. ERROR\x00", "stream: OK", "stream: OK FOUND\x00", "\x00", "stream: OK\n\x00", strings.Repeat("x", 2*clamdLine),
	} {
		f.Add(answer)
	}
	f.Fuzz(func(t *testing.T, said string) {
		answer, err := listen(strings.NewReader(said))
		if err != nil {
			return
		}
		if len(answer) >= clamdLine {
			t.Errorf("%d bytes of an answer were read", len(answer))
		}
		finding, err := verdict(answer)
		if clean := err == nil && finding == ""; clean != (answer == "OK" || answer == "stream: OK") {
			t.Errorf("%q is clean: %t", answer, clean)
		}
		if err != nil && finding != "" || !utf8.ValidString(finding) || strings.ContainsFunc(finding, unicode.IsControl) {
			t.Errorf("%q finds %q, %v", answer, finding, err)
		}
	})
}
