package infra

import (
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// TestBeyond: what is behind a beginning is behind all that begin so, and
// before all that are behind it.
func TestBeyond(t *testing.T) {
	edges := rapid.SampledFrom([]rune{'a', 'b', 0x7F, 0xD7FF, 0xE000, 0xFFFF, 0x10FFFE, 0x10FFFF})
	text := rapid.StringOfN(edges, 0, 4, -1)
	rapid.Check(t, func(t *rapid.T) {
		prefix, other := text.Draw(t, "prefix"), text.Draw(t, "other")
		end := beyond(prefix)
		inside := prefix <= other && other < end
		if begins := strings.HasPrefix(other, prefix); begins != inside {
			t.Fatalf("%q begins with %q: %t, and lies before %q: %t", other, prefix, begins, end, inside)
		}
	})
}
