package domain

import (
	"context"
	"io"
)

// Scanner looks at content before anybody can read it.
type Scanner interface {
	// Scan reads r to the end, or as far as it wants to, and returns what harm
	// it found; "" for none. An error says that nothing was found out, such as
	// errs.ErrUnavailable.
	Scan(ctx context.Context, r io.Reader) (finding string, err error)
}
