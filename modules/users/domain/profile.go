package domain

import (
	"strings"
	"time"
	_ "time/tzdata" // the same zones on every machine

	"golang.org/x/text/language"
)

// maxProfile bounds locale and time zone, in bytes.
const maxProfile = 64

// ParseLocale takes a language tag (BCP 47) and returns its canonical form;
// empty stays empty.
func ParseLocale(text string) (string, error) {
	if text == "" {
		return "", nil
	}
	tag, err := language.Parse(text)
	if err != nil || len(text) > maxProfile || tag == language.Und {
		return "", ErrInvalid.At("#/locale", "must be a language tag such as en or de-CH")
	}
	return tag.String(), nil
}

// ParseTimeZone takes a name of the IANA time zone database; empty stays
// empty.
func ParseTimeZone(text string) (string, error) {
	if text == "" {
		return "", nil
	}
	zone, err := time.LoadLocation(text)
	if err != nil || len(text) > maxProfile || text == "Local" { // the machine's own zone means nothing elsewhere
		return "", ErrInvalid.At("#/time_zone", "must be a time zone such as Europe/Rome")
	}
	return zone.String(), nil
}

// NameKey is a name as lists are sorted by it: in lower case.
func (u User) NameKey() string { return strings.ToLower(u.Name) }
