package domain_test

import (
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"pgregory.net/rapid"

	"github.com/insulahq/insula/modules/audit/domain"
)

func TestText(t *testing.T) {
	for name, tc := range map[string]struct{ in, want string }{
		"plain":             {"ada@example.com", "ada@example.com"},
		"empty":             {"", ""},
		"a forged line":     {"curl\r\nlevel=info", "curl��level=info"},
		"NUL":               {"a\x00b", "a�b"},
		"no text":           {"a\xff\xfeb", "a�b"},
		"just fits":         {strings.Repeat("a", 20), strings.Repeat("a", 20)},
		"too long":          {strings.Repeat("a", 21), strings.Repeat("a", 17) + "…"},
		"cut inside a rune": {strings.Repeat("é", 11), strings.Repeat("é", 8) + "…"},
	} {
		t.Run(name, func(t *testing.T) {
			if got := domain.Text(tc.in, 20); got != tc.want {
				t.Errorf("got %q, want %q", got, tc.want)
			}
		})
	}
}

func TestTextIsAlwaysFit(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		in := string(rapid.SliceOfN(rapid.Byte(), 0, 60).Draw(t, "bytes"))
		if rapid.Bool().Draw(t, "runes") {
			in = rapid.String().Draw(t, "text")
		}
		limit := rapid.IntRange(3, 40).Draw(t, "limit")
		got := domain.Text(in, limit)
		if len(got) > limit || !utf8.ValidString(got) || strings.ContainsFunc(got, unicode.IsControl) {
			t.Fatalf("got %q", got)
		}
		if again := domain.Text(got, limit); again != got {
			t.Fatalf("the second time %q became %q", got, again)
		}
	})
}

func TestTidyBoundsEveryText(t *testing.T) {
	long := strings.Repeat("\x00x", 2000)
	e := domain.Event{
		Operation: long, Outcome: long, Code: long, Rule: long, Actor: domain.Actor{Kind: long, Label: long},
		Target: domain.Target{Kind: long, ID: long, Label: long}, RequestID: long, Address: long, Client: long,
	}.Tidy()
	for _, text := range []string{e.Operation, e.Outcome, e.Code, e.Rule, e.Actor.Kind, e.Actor.Label,
		e.Target.Kind, e.Target.ID, e.Target.Label, e.RequestID, e.Address, e.Client} {
		if len(text) > 320 || strings.Contains(text, "\x00") {
			t.Errorf("kept %d bytes: %.20q", len(text), text)
		}
	}
}
