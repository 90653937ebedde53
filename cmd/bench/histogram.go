package main

import (
	"math/bits"
	"time"
)

// histogram counts durations in buckets of a fixed number, so that measuring
// costs the same however many requests there are. Each power of two of
// microseconds is split into 64: a quantile is exact to 1.6 %.
type histogram struct {
	counts [buckets]uint64
	total  uint64
}

const (
	splitBits = 6
	split     = 1 << splitBits
	// powers covers up to 2^36 µs, 19 hours: longer than any request may take.
	powers  = 31
	buckets = powers * split
)

func (h *histogram) add(d time.Duration) {
	h.counts[bucketOf(uint64(max(d.Microseconds(), 0)))]++
	h.total++
}

// bucketOf keeps the first microseconds apart, and of greater numbers the
// leading bits.
func bucketOf(us uint64) int {
	if us < split {
		return int(us)
	}
	shift := bits.Len64(us) - 1 - splitBits
	return min((shift+1)*split+int(us>>shift)-split, buckets-1)
}

// floorOf is the smallest duration of a bucket.
func floorOf(bucket int) time.Duration {
	if bucket < split {
		return time.Duration(bucket) * time.Microsecond
	}
	shift := bucket/split - 1
	return time.Duration(split+bucket%split) << shift * time.Microsecond
}

// merge adds the counts of another histogram.
func (h *histogram) merge(other *histogram) {
	for i, n := range other.counts {
		h.counts[i] += n
	}
	h.total += other.total
}

// quantile is the duration that the share q of all stayed within; 0 when there
// are none.
func (h *histogram) quantile(q float64) time.Duration {
	if h.total == 0 {
		return 0
	}
	rank := uint64(q * float64(h.total-1))
	var seen uint64
	for i, n := range h.counts {
		if seen += n; seen > rank {
			return floorOf(i)
		}
	}
	return floorOf(buckets - 1)
}
