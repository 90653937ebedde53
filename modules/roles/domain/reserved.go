package domain

import "strings"

// reserved are the first words of names that Insula keeps for its own modules:
// those it has, and those that a later version may bring. No other permission
// can begin with one, so that no version takes a name that a tenant or the
// product has given to something else.
//
// A new module of Insula takes its words from this list. It grows by words
// that nobody can have used, which means before a first release, or by a
// version that refuses a word before the one that uses it.
var reserved = words(`
	admin apikeys audit auth authz backups branding config directory domains encryption exports features files flags
	groups health identity insula integrations invitations jobs keys licenses limits locks logs mail me metrics mfa
	notifications oauth oidc operations permissions placements policies privacy quotas retention roles saml schedules
	scim scopes search secrets security sessions settings sso storage streams system tenants tokens traces usage
	users vault versions webhooks
`)

func words(text string) map[string]bool {
	set := map[string]bool{}
	for word := range strings.FieldsSeq(text) {
		set[word] = true
	}
	return set
}

// Reserved reports whether Insula keeps the first word of a name to itself.
func Reserved(name string) bool { return reserved[firstWord(name)] }

func firstWord(name string) string {
	word, _, _ := strings.Cut(name, ".")
	return word
}

// belongsToBinary reports whether a name begins with a word of Insula's, or
// with a module of the binary, which may be one of the product's own.
func (c *Catalogue) belongsToBinary(name string) bool {
	return Reserved(name) || c.modules[firstWord(name)]
}

// belongsToProduct reports whether a name begins like a permission of the
// product: where the product has named one, all of that beginning is its own.
func (c *Catalogue) belongsToProduct(name string) bool {
	for _, p := range c.product {
		if firstWord(p.Name) == firstWord(name) {
			return true
		}
	}
	return false
}
