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
	// Reset is the page where a new password is chosen.
	Reset string
	// Email is the page where a new e-mail address is confirmed.
	Email string
}

// Accept is the link that carries a one-time token. The token stands in the
// fragment, which browsers keep from servers and their logs.
func (l Links) Accept(slug string, token secret.Value) string {
	return withToken(l.Invitation, slug, token)
}

// ResetPassword is the link that carries the token for a new password.
func (l Links) ResetPassword(slug string, token secret.Value) string {
	return withToken(l.Reset, slug, token)
}

// ConfirmEmail is the link that carries the token for a new e-mail address.
func (l Links) ConfirmEmail(slug string, token secret.Value) string {
	return withToken(l.Email, slug, token)
}

func withToken(page, slug string, token secret.Value) string {
	fragment := url.Values{"tenant": {slug}, "token": {token.Reveal()}}
	return page + "#" + fragment.Encode()
}
