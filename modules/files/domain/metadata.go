package domain

import (
	"regexp"
	"strings"
	"unicode/utf8"
)

// Metadata is what a tenant's own software notes beside a file. It means
// nothing here.
type Metadata map[string]string

// Bounds of metadata: together at most about 64 KiB.
const (
	maxEntries = 32
	maxValue   = 500 // characters
)

var keyRule = regexp.MustCompile(`^[a-z][a-z0-9_.-]{0,63}$`)

// flaw says what is wrong with metadata, "" when nothing is.
func (m Metadata) flaw() string {
	if len(m) > maxEntries {
		return "has more than 32 entries"
	}
	for key, value := range m {
		switch {
		case !keyRule.MatchString(key):
			return "has a key that is not of small letters, digits, dots, dashes and underscores, or is too long"
		case !utf8.ValidString(value) || utf8.RuneCountInString(value) > maxValue:
			return "has a value of more than 500 characters"
		case strings.ContainsRune(value, 0):
			return "has a value with a zero character"
		}
	}
	return ""
}
