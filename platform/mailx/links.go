package mailx

import (
	"net/url"

	"github.com/insulahq/insula/platform/secret"
)

// Links builds the links in mails.
type Links struct {
	// Invitation is the page of the product where an invited person chooses a
	// password.
	Invitation string
}

// Accept is the link that carries a one-time token. The token stands in the
// fragment, which browsers keep from servers and their logs.
func (l Links) Accept(slug string, token secret.Value) string {
	fragment := url.Values{"tenant": {slug}, "token": {token.Reveal()}}
	return l.Invitation + "#" + fragment.Encode()
}
