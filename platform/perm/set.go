package perm

import "math/bits"

// Set is a set of numbers as bits. A set that is too short for a number does
// not hold it, so the zero Set is empty.
type Set []uint64

const word = 64

// NewSet makes an empty set with room for the numbers below size.
func NewSet(size int) Set { return make(Set, (size+word-1)/word) }

// Add puts a number into the set, which must have room for it.
func (s Set) Add(i int) { s[i/word] |= 1 << (i % word) }

// Has reports whether a number is in the set.
func (s Set) Has(i int) bool { return i/word < len(s) && s[i/word]&(1<<(i%word)) != 0 }

// AddAll puts the numbers of o into s, which must have room for them.
func (s Set) AddAll(o Set) {
	for i, w := range o {
		if w != 0 {
			s[i] |= w
		}
	}
}

// And is the set of what is in both.
func (s Set) And(o Set) Set {
	both := make(Set, min(len(s), len(o)))
	for i := range both {
		both[i] = s[i] & o[i]
	}
	return both
}

// Covers reports whether every number of o is in s.
func (s Set) Covers(o Set) bool {
	for i, w := range o {
		if i >= len(s) && w != 0 || i < len(s) && w&^s[i] != 0 {
			return false
		}
	}
	return true
}

// Len is how many numbers are in the set.
func (s Set) Len() int {
	n := 0
	for _, w := range s {
		n += bits.OnesCount64(w)
	}
	return n
}

// IsEmpty reports whether nothing is in the set.
func (s Set) IsEmpty() bool {
	for _, w := range s {
		if w != 0 {
			return false
		}
	}
	return true
}
