// Package page pages through lists by keyset: a page ends with the position
// of its last item, and the next one starts behind it. A position costs the
// same on the first page and on the thousandth.
package page

import (
	"time"

	"github.com/google/uuid"
)

// Position is a place in a list that is ordered by time, then id, newest
// first; or by a text, then id, in which case At is the zero time.
type Position struct {
	At   time.Time
	Text string
	ID   uuid.UUID
}

// Start lies before every item. Binding it, rather than leaving the keyset
// condition out for the first page, keeps one plan for all pages.
var Start = Position{At: time.Date(9999, 1, 1, 0, 0, 0, 0, time.UTC), ID: uuid.Max}

// MaxText is the greatest length of the text of a position, in bytes: together
// with an id it fits into an entry of an index, a third of a page of
// PostgreSQL, and its cursor into what a list takes.
const MaxText = 2500

// Request asks for a page.
type Request struct {
	Limit int       // items at most; greater than zero
	After *Position // nil for the first page
}

// From is the position the page starts behind.
func (r Request) From() Position {
	if r.After == nil {
		return Start
	}
	return *r.After
}

// Page is a part of a list.
type Page[T any] struct {
	Items []T
	Next  *Position // nil on the last page
}

// Cut makes a page of items that were fetched with a limit of one more than
// asked for: the extra one only tells that there is a next page.
func Cut[T any](items []T, limit int, at func(T) Position) Page[T] {
	if len(items) <= limit {
		return Page[T]{Items: items}
	}
	next := at(items[limit-1])
	return Page[T]{Items: items[:limit], Next: &next}
}
