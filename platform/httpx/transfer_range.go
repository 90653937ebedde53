package httpx

import (
	"strconv"
	"strings"
)

// part is a stretch of some content.
type part struct {
	from    int64
	length  int64
	partial bool // answers a range, even one that covers everything
}

// parseRange reads a Range header (RFC 9110, section 14.2). Everything it need
// not understand (another unit, several ranges, nonsense, a range of nothing)
// is answered with the whole content, as the RFC allows; a range that starts
// behind the end is ErrRange.
func parseRange(header string, size int64) (part, error) {
	whole := part{length: size}
	spec, ok := strings.CutPrefix(header, "bytes=")
	if !ok || size == 0 {
		return whole, nil
	}
	first, last, ok := strings.Cut(strings.TrimSpace(spec), "-")
	if !ok {
		return whole, nil
	}
	if first == "" {
		return suffix(last, size)
	}
	from, ok := position(first)
	if !ok {
		return whole, nil
	}
	to := size - 1
	if last != "" {
		end, ok := position(last)
		if !ok || end < from {
			return whole, nil
		}
		to = min(end, to)
	}
	if from >= size {
		return part{}, ErrRange
	}
	return part{from: from, length: to - from + 1, partial: true}, nil
}

// suffix is the range "-n": the last n bytes.
func suffix(count string, size int64) (part, error) {
	n, ok := position(count)
	if !ok {
		return part{length: size}, nil
	}
	if n == 0 {
		return part{}, ErrRange
	}
	n = min(n, size)
	return part{from: size - n, length: n, partial: true}, nil
}

// position reads digits and nothing else: no sign, no space.
func position(digits string) (int64, bool) {
	n, err := strconv.ParseUint(digits, 10, 63)
	return int64(n), err == nil
}
