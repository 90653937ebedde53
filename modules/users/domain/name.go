package domain

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// MaxName is the greatest length of a name, in characters.
const MaxName = 120

// ParseName takes what a person is called: any script, composed form, spaces
// around it removed. Characters that change how the text around them is shown
// (control characters, line separators, direction overrides) are refused.
func ParseName(text string) (string, error) {
	if !utf8.ValidString(text) {
		return "", ErrInvalid.At("#/name", "must be valid UTF-8")
	}
	name := norm.NFC.String(strings.TrimSpace(text))
	switch {
	case name == "":
		return "", ErrInvalid.At("#/name", "must not be empty")
	case utf8.RuneCountInString(name) > MaxName:
		return "", ErrInvalid.At("#/name", "must have at most 120 characters")
	case strings.ContainsFunc(name, disturbs):
		return "", ErrInvalid.At("#/name", "must not contain control characters")
	}
	return name, nil
}

func disturbs(r rune) bool {
	return unicode.In(r, unicode.Cc, unicode.Zl, unicode.Zp, unicode.Bidi_Control)
}
