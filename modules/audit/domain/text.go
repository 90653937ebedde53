package domain

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// ellipsis marks a text that was cut.
const ellipsis = "…"

// Text makes a text fit to be kept and shown: control characters, which could
// forge lines where the trail is printed, and bytes that are no text become
// U+FFFD, and what is longer than limit bytes is cut and ends with "…". Doing it
// twice changes nothing more.
func Text(s string, limit int) string {
	s = strings.Map(func(r rune) rune {
		if unicode.IsControl(r) {
			return unicode.ReplacementChar
		}
		return r
	}, strings.ToValidUTF8(s, string(unicode.ReplacementChar)))
	if len(s) <= limit {
		return s
	}
	end := limit - len(ellipsis)
	for !utf8.RuneStart(s[end]) {
		end--
	}
	return s[:end] + ellipsis
}
