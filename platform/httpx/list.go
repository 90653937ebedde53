package httpx

import (
	"github.com/insulahq/insula/platform/page"
)

// Paging is embedded in the input of an operation that lists.
type Paging struct {
	Limit  int    `query:"limit" minimum:"1" maximum:"200" default:"50" doc:"How many items a page has at most."`
	Cursor string `query:"cursor" maxLength:"3400" doc:"next_cursor of the page before; absent for the first page."`
}

// List is one page of items in the answer.
type List[T any] struct {
	Items      []T    `json:"items"`
	NextCursor string `json:"next_cursor,omitempty" doc:"Send it as cursor to get the next page; absent on the last one."`
}

// Request turns paging parameters into a page request. binding is what the
// cursor belongs to, tenant and filters: a cursor of another list is refused
// with page.ErrCursor.
func (p Paging) Request(codec *page.Codec, binding string) (page.Request, error) {
	r := page.Request{Limit: p.Limit}
	if p.Cursor == "" {
		return r, nil
	}
	after, err := codec.Decode(p.Cursor, binding)
	if err != nil {
		return r, err
	}
	r.After = &after
	return r, nil
}

// ListOf shows a page.
func ListOf[D, T any](p page.Page[D], codec *page.Codec, binding string, show func(D) T) *Answer[List[T]] {
	out := &Answer[List[T]]{Body: List[T]{Items: make([]T, len(p.Items))}}
	for i, item := range p.Items {
		out.Body.Items[i] = show(item)
	}
	if p.Next != nil {
		out.Body.NextCursor = codec.Encode(*p.Next, binding)
	}
	return out
}
