package main

import (
	"errors"
	"fmt"
	"go/token"
	"go/types"
	"io/fs"
	"path"
	"regexp"
	"slices"
	"strings"
)

// module is what the templates know.
type module struct {
	Module string // import path of the tree: "github.com/insulahq/insula"
	Name   string // package, table and path of the new module, plural: "invoices"
	Noun   string // one of its things: "invoice"
	Types  string // Name as a Go type: "Invoices"
	Type   string // Noun as a Go type: "Invoice"
	A      string // the article in front of Noun
	Letter string // name of the receiver of Type's methods
}

// newModule checks the names as far as they can be checked without the tree.
func newModule(root, name, noun string) (module, error) {
	m := module{
		Module: root, Name: name, Noun: noun, Types: title(name), Type: title(noun), A: "a", Letter: noun[:min(1, len(noun))],
	}
	if err := errors.Join(word("NAME", name), word("NOUN", noun)); err != nil {
		return m, err
	}
	if name == noun {
		return m, fmt.Errorf("NAME and NOUN are both %q: NAME is the plural (the package), NOUN the singular", name)
	}
	if slices.Contains(plurals(name), noun) || !slices.Contains(plurals(noun), name) {
		return m, fmt.Errorf("NAME %q is not the plural of NOUN %q: expected one of %s", name, noun, strings.Join(plurals(noun), ", "))
	}
	if strings.ContainsRune("aeio", rune(noun[0])) {
		m.A = "an"
	}
	return m, nil
}

func title(word string) string {
	return strings.ToUpper(word[:min(1, len(word))]) + word[min(1, len(word)):]
}

// aWord is what operation names, packages, tables and paths all can be.
var aWord = regexp.MustCompile(`^[a-z]{3,30}$`)

func word(argument, text string) error {
	switch {
	case text == "":
		return fmt.Errorf("%s is missing: make new-module NAME=invoices NOUN=invoice", argument)
	case !aWord.MatchString(text):
		return fmt.Errorf("%s %q is not one word of 3 to 30 lower case letters", argument, text)
	case token.IsKeyword(text) || types.Universe.Lookup(text) != nil:
		return fmt.Errorf("%s %q is a word of Go", argument, text)
	case slices.Contains(reserved, text):
		return fmt.Errorf("%s %q has a meaning of its own in the files of a module, or in SQL", argument, text)
	}
	return nil
}

// reserved are the names that the generated files use for something else, and
// the words that PostgreSQL does not take for a table.
var reserved = strings.Fields(`
	api change context db domain errors errs infra invalid list module name notes op page repository rows row scope service
	spec strings tenant text time unicode uow uuid version view wire clock httpx from found fmt house http id ids in
	internal limit main maps norm pg pgtest prefix rapid reflect req rules slices testdata testing vendor
	all analyse analyze and any array as asc between bigint binary bit boolean both case cast check coalesce collate
	collation column concurrently constraint create cross current default deferrable desc distinct do else end except
	exists extract fetch for foreign freeze full grant greatest group having ilike inner intersect interval into is
	join lateral leading least left like localtime natural new none normalize not null nullif numeric offset old on
	only or order outer overlaps overlay position precision primary references returning right select setof similar
	smallint some substring symmetric table then timestamp to trailing treat trim true union unique user using values
	varchar variadic verbose when where window with`)

// plurals are the ways in which English makes the plural of a noun. Nouns with
// another are rare enough to be given a regular one: people, say, as persons.
func plurals(noun string) []string {
	stem := noun[:max(0, len(noun)-1)]
	switch {
	case strings.HasSuffix(noun, "y") && !strings.ContainsAny(noun[max(0, len(noun)-2):len(noun)-1], "aeiou"):
		return []string{stem + "ies"}
	case strings.HasSuffix(noun, "s"), strings.HasSuffix(noun, "x"), strings.HasSuffix(noun, "z"),
		strings.HasSuffix(noun, "ch"), strings.HasSuffix(noun, "sh"):
		return []string{noun + "es"}
	case strings.HasSuffix(noun, "f"):
		return []string{noun + "s", stem + "ves"}
	case strings.HasSuffix(noun, "fe"):
		return []string{noun + "s", stem[:len(stem)-1] + "ves"}
	case strings.HasSuffix(noun, "o"):
		return []string{noun + "s", noun + "es"}
	}
	return []string{noun + "s"}
}

// free checks that nothing in the tree has the names already: no file that
// would be written, table, path, operation or document.
func (m module) free(tree fs.FS, files []file) error {
	for _, f := range files {
		if _, err := fs.Stat(tree, f.path); err == nil {
			return fmt.Errorf("%s is there already: choose another NAME", f.path)
		}
	}
	if _, err := fs.Stat(tree, "modules/"+m.Name); err == nil {
		return fmt.Errorf("modules/%s is there already: choose another NAME", m.Name)
	}
	for _, taken := range []struct{ in, like, what string }{
		{"schema/*/*.sql", `\bTABLE (?:control\.)?` + m.Name + `\b`, "a table " + m.Name},
		{"modules/*/api/*.go", `"/v1/` + m.Name + `[/"]`, "the path /v1/" + m.Name},
		{"modules/*/service/*.go", `"` + m.Name + `\.[a-z]`, "operations named " + m.Name},
		{"modules/*/service/*.go", `op\.About\("` + m.Noun + `"\)`, "things called " + m.Noun + " in the trail"},
		{"modules/*/api/*.go", `(?m)^type (?:New)?` + m.Type + `(?:ID|Change)? `, "an API document " + m.Type},
	} {
		files, err := fs.Glob(tree, taken.in)
		if err != nil {
			return err
		}
		for _, file := range files {
			text, err := fs.ReadFile(tree, file)
			if err != nil {
				return err
			}
			if regexp.MustCompile(taken.like).Match(text) {
				return fmt.Errorf("%s has %s already: choose other names", path.Clean(file), taken.what)
			}
		}
	}
	return nil
}
