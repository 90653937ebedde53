package httpx

import (
	"net/url"
	"slices"
	"strings"

	"github.com/insulahq/insula/platform/errs"
)

// saidOnce refuses a query parameter that is said twice: which of its values holds
// would otherwise depend on who reads it, here and in every proxy on the way.
func saidOnce(u url.URL) error {
	if !strings.Contains(u.RawQuery, "&") {
		return nil
	}
	var repeated []string
	for name, values := range u.Query() {
		if len(values) > 1 {
			repeated = append(repeated, name)
		}
	}
	if len(repeated) == 0 {
		return nil
	}
	slices.Sort(repeated)
	err := errs.ErrInvalid
	for _, name := range repeated {
		err = err.At("query."+name, "It is said more than once.")
	}
	return err
}
