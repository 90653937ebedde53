package domain_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/insulahq/insula/modules/users/domain"
)

func TestParseName(t *testing.T) {
	for _, tc := range []struct {
		name, text, want string // want "" means refused
	}{
		{"plain", "Ada Lovelace", "Ada Lovelace"},
		{"spaces around", "  Ada ", "Ada"},
		{"any script", "山田 太郎", "山田 太郎"},
		{"composed", "Zoe\u0308", "Zo\u00eb"},
		{"joiner of a script that needs it", "\u0646\u0627\u0645\u200c\u0647\u0627", "\u0646\u0627\u0645\u200c\u0647\u0627"},
		{"longest", strings.Repeat("é", 120), strings.Repeat("é", 120)},
		{"one too long", strings.Repeat("é", 121), ""},
		{"empty", "", ""},
		{"only spaces", " \t\n", ""},
		{"line break", "Ada\nLovelace", ""},
		{"null", "Ada\x00", ""},
		{"line separator", "Ada\u2028Lovelace", ""},
		{"direction override", "Ada\u202egnp.exe", ""},
		{"not UTF-8", "Ada\xff", ""},
	} {
		t.Run(tc.name, func(t *testing.T) {
			got, err := domain.ParseName(tc.text)
			if got != tc.want || (tc.want == "") != errors.Is(err, domain.ErrInvalid) {
				t.Fatalf("got %q, %v; want %q", got, err, tc.want)
			}
		})
	}
}
