// Package setting is how modules declare what a tenant can adjust.
//
// A setting is declared once, as a typed value in the contract of the module
// that obeys it; its module gives it the installation's default when the
// process starts. What a tenant has set is kept in the tenant's own schema,
// and Memory knows it: the version of a tenant's settings travels in the round
// trip that lets a request in, so that a change holds at the next request on
// every node.
package setting

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"
)

// Kind is the type of a setting's values.
type Kind string

// The kinds, by how their values are written in JSON.
const (
	Bool     Kind = "boolean"
	Int      Kind = "integer"
	Duration Kind = "duration" // "36h", "1h30m"
	Word     Kind = "word"     // one of a few
	List     Kind = "list"     // of texts
)

// Who may change a setting.
type Who string

// Those who may change a setting. The operator may change every one.
const (
	Tenant   Who = "tenant" // who holds settings.update in the tenant
	Operator Who = "operator"
)

// Def declares a setting, without its type.
type Def struct {
	Name     string // "<module>.<what>"
	Doc      string // one sentence
	Kind     Kind
	Who      Who
	Unit     string   // of an integer: "bytes"
	Min, Max int64    // of an integer, of a duration in nanoseconds, of the length of a list
	Words    []string // of a word
	MaxText  int      // longest text of a list, in bytes
	Entry    Rule     // of the texts of a list; none for any text
	// Variable is the environment variable that gives the default of the
	// installation; none for a setting with a default of its own.
	Variable string
}

// Rule is what the texts of a list must be like.
type Rule struct {
	Allows func(text string) bool
	Words  string // "must have entries like …"
}

// Module is the module that declares the setting.
func (d Def) Module() string {
	module, _, _ := strings.Cut(d.Name, ".")
	return module
}

// Setting is a setting with values of type T.
type Setting[T any] struct{ def Def }

// Def is the declaration without its type.
func (s Setting[T]) Def() Def { return s.def }

// Default declares the setting with the installation's default.
func (s Setting[T]) Default(v T) Declared { return Declared{Def: s.def, value: v} }

// In is the value of the setting among those of a tenant. It panics for a
// setting that no module declares: no value would ever have an effect.
func (s Setting[T]) In(v Values) T { return v.find(s.def.Name).(T) }

// Declared is a setting with its default.
type Declared struct {
	Def
	value any
}

// Option refines a declaration.
type Option func(*Def)

// ByOperator leaves the setting to the operator.
func ByOperator(d *Def) { d.Who = Operator }

// From names the environment variable that gives the installation's default.
func From(variable string) Option { return func(d *Def) { d.Variable = variable } }

// Entries makes a rule for the texts of a list.
func Entries(r Rule) Option { return func(d *Def) { d.Entry = r } }

// Unit names what an integer counts.
func Unit(unit string) Option { return func(d *Def) { d.Unit = unit } }

// OfBool declares a setting that is on or off.
func OfBool(name, doc string, opts ...Option) Setting[bool] {
	return Setting[bool]{declare(Def{Name: name, Doc: doc, Kind: Bool}, opts)}
}

// OfInt declares a whole number between two bounds.
func OfInt(name, doc string, least, most int64, opts ...Option) Setting[int64] {
	return Setting[int64]{declare(Def{Name: name, Doc: doc, Kind: Int, Min: least, Max: most}, opts)}
}

// OfDuration declares a time between two bounds.
func OfDuration(name, doc string, least, most time.Duration, opts ...Option) Setting[time.Duration] {
	return Setting[time.Duration]{declare(Def{Name: name, Doc: doc, Kind: Duration, Min: int64(least), Max: int64(most)}, opts)}
}

// OfWord declares a choice.
func OfWord(name, doc string, words []string, opts ...Option) Setting[string] {
	return Setting[string]{declare(Def{Name: name, Doc: doc, Kind: Word, Words: words}, opts)}
}

// OfList declares a list of texts: how many there may be, and how many bytes
// each may have.
func OfList(name, doc string, most, longest int, opts ...Option) Setting[[]string] {
	return Setting[[]string]{declare(Def{Name: name, Doc: doc, Kind: List, Max: int64(most), MaxText: longest}, opts)}
}

var nameRule = regexp.MustCompile(`^[a-z]+(\.[a-z][a-z_]*){1,2}$`)

func declare(d Def, opts []Option) Def {
	d.Who = Tenant
	for _, o := range opts {
		o(&d)
	}
	switch {
	case !nameRule.MatchString(d.Name) || !strings.HasSuffix(d.Doc, "."):
		panic(fmt.Sprintf("setting: %q (%q): a name is <module>.<what>, its meaning a sentence", d.Name, d.Doc))
	case d.Max < d.Min, d.Kind == Word && len(d.Words) == 0, d.Kind == List && d.MaxText <= 0:
		panic(fmt.Sprintf("setting: %s allows no value", d.Name))
	}
	d.Words = slices.Clone(d.Words)
	return d
}
