package config

import (
	"errors"
	"regexp"
	"slices"
	"strings"

	"github.com/insulahq/insula/platform/secret"
)

// Placement is a database that houses tenants beside the main one.
type Placement struct {
	Name        string
	URL         secret.Value // of the application's role
	MigratorURL secret.Value
}

// Placements are databases, each with a name of its own.
type Placements []Placement

var errPlacements = errors.New("must be placements such as east postgres://… postgres://…, each with a name of small letters, digits and hyphens that no other has, not main, and two URLs; separated by semicolons")

// placementName is what the registry takes.
var placementName = regexp.MustCompile(`^[a-z][a-z0-9-]{0,30}$`)

// UnmarshalText reads names and URLs; an entry ends with a semicolon or a line.
func (p *Placements) UnmarshalText(text []byte) error {
	*p = nil
	isPostgres := forms["postgres-url"].ok
	for entry := range strings.FieldsFuncSeq(string(text), func(r rune) bool { return r == ';' || r == '\n' }) {
		words := strings.Fields(entry)
		if len(words) == 0 {
			continue
		}
		taken := slices.ContainsFunc(*p, func(other Placement) bool { return other.Name == words[0] })
		if taken || words[0] == "main" || len(words) != 3 || !placementName.MatchString(words[0]) || !isPostgres(words[1]) || !isPostgres(words[2]) {
			return errPlacements
		}
		*p = append(*p, Placement{Name: words[0], URL: secret.New(words[1]), MigratorURL: secret.New(words[2])})
	}
	return nil
}

// String returns the form that is read, with the URLs masked.
func (p Placements) String() string {
	entries := make([]string, len(p))
	for i, one := range p {
		entries[i] = one.Name + " " + one.URL.String() + " " + one.MigratorURL.String()
	}
	return strings.Join(entries, "; ")
}
