package domain_test

import (
	"errors"
	"net/mail"
	"strings"
	"testing"
	"unicode"

	"github.com/insulahq/insula/modules/users/domain"
	"github.com/insulahq/insula/platform/errs"
)

func TestParseEmail(t *testing.T) {
	long := strings.Repeat("a", 64)
	label := strings.Repeat("b", 63)
	longest := long + "@" + strings.Join([]string{label, label, strings.Repeat("c", 58), "de"}, ".")
	for _, tc := range []struct {
		name, text string
		key        string // "" means refused
	}{
		{"plain", "ada@example.com", "ada@example.com"},
		{"case is kept out of the key", "Ada.Lovelace@Example.COM", "ada.lovelace@example.com"},
		{"spaces around", " \tada@example.com\n", "ada@example.com"},
		{"signs", "a+b_c-d!e@x-1.example", "a+b_c-d!e@x-1.example"},
		{"longest", longest, longest},
		{"one too long", "x" + longest, ""},
		{"long local part", long + "a@example.com", ""},
		{"long label", "a@" + label + "b.example", ""},
		{"empty", "", ""},
		{"no at", "example.com", ""},
		{"nothing before at", "@example.com", ""},
		{"nothing after at", "ada@", ""},
		{"two ats", "ada@home@example.com", ""},
		{"one label", "ada@localhost", ""},
		{"dot first", ".ada@example.com", ""},
		{"dots together", "a..b@example.com", ""},
		{"domain ends in a dot", "ada@example.com.", ""},
		{"hyphen first in label", "ada@-example.com", ""},
		{"hyphen last in label", "ada@example-.com", ""},
		{"space inside", "a da@example.com", ""},
		{"header injection", "ada@example.com\r\nBcc: x@example.com", ""},
		{"quoted", `"ada"@example.com`, ""},
		{"display name", "Ada <ada@example.com>", ""},
		{"address literal", "ada@[192.0.2.1]", ""},
		{"letter that only looks like one", "\u0430da@example.com", ""},
		{"Kelvin sign, which lower-cases to k", "\u212Aate@example.com", ""},
	} {
		t.Run(tc.name, func(t *testing.T) {
			got, err := domain.ParseEmail(tc.text)
			if tc.key == "" {
				e, ok := errs.As(err)
				if !ok || !errors.Is(err, domain.ErrInvalid) || len(e.Fields) != 1 || e.Fields[0].Pointer != "#/email" {
					t.Fatalf("got %q, %v; want a refusal that names #/email", got, err)
				}
				return
			}
			if err != nil || got.Key() != tc.key {
				t.Fatalf("key %q, %v; want %q", got.Key(), err, tc.key)
			}
			if got.String() != strings.TrimSpace(tc.text) {
				t.Errorf("address %q is not as it was given", got)
			}
		})
	}
}

// FuzzParseEmail checks that what is accepted is an address to the standard
// library too, the same one, and safe in a mail header.
func FuzzParseEmail(f *testing.F) {
	for _, s := range []string{"ada@example.com", "A.B+c@X-1.example", "a@b.c", `"x"@y.z`, "x@y..z", "\u212A@k.de", "a@b.c\r\nX: y"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		got, err := domain.ParseEmail(text)
		if err != nil {
			if got != (domain.Email{}) {
				t.Fatalf("refused %q and returned %q", text, got)
			}
			return
		}
		address := got.String()
		if len(address) > 254 || strings.ContainsFunc(address, func(r rune) bool { return r > unicode.MaxASCII || !unicode.IsGraphic(r) || r == ' ' }) {
			t.Fatalf("accepted %q", address)
		}
		parsed, err := mail.ParseAddress(address)
		if err != nil || parsed.Address != address || parsed.Name != "" {
			t.Fatalf("accepted %q, which net/mail reads as %v, %v", address, parsed, err)
		}
		again, err := domain.ParseEmail(got.Key())
		if err != nil || again.Key() != got.Key() || again.String() != got.Key() {
			t.Fatalf("key of %q does not stay the same: %q, %v", address, again.Key(), err)
		}
		if local := got.Local(); !strings.HasPrefix(address, local+"@") {
			t.Fatalf("local part of %q is %q", address, local)
		}
	})
}
