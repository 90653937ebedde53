package domain

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// maxName is the greatest length of a name in characters.
const maxName = 255

// cleanName brings a name into its one form (NFC: a letter and its accents are
// one character where Unicode has it) and says what is wrong with it, "" when
// nothing is. Whatever script it is in, a name is one line of text that no
// system takes for a path and no reader for another name.
func cleanName(name string) (clean, flaw string) {
	if !utf8.ValidString(name) {
		return name, "is not valid UTF-8"
	}
	name = norm.NFC.String(name)
	length := utf8.RuneCountInString(name)
	switch {
	case strings.TrimSpace(name) == "":
		return name, "is empty"
	case length > maxName:
		return name, "has more than 255 characters"
	case name == "." || name == "..":
		return name, "stands for a folder"
	case strings.ContainsAny(name, `/\`):
		return name, "has a slash or backslash"
	case strings.ContainsFunc(name, unprintable):
		return name, "has control characters"
	}
	return name, ""
}

// unprintable are characters that end a line, steer a terminal, or turn the
// direction of writing so that "gpj.exe" reads "exe.jpg".
func unprintable(r rune) bool {
	switch {
	case unicode.IsControl(r), r == '\u2028', r == '\u2029':
		return true
	case '\u202A' <= r && r <= '\u202E', '\u2066' <= r && r <= '\u2069':
		return true
	}
	return false
}
