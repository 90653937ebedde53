package config

import (
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"

	"github.com/caarlos0/env/v11"
)

// Problem is one thing that is wrong with one variable. Its message never quotes the variable's value,
// which may be a secret.
type Problem struct {
	Variable string
	Message  string
}

func (p Problem) String() string { return p.Variable + " " + p.Message }

// Error lists all that is wrong with an environment, one line each.
type Error struct {
	Problems []Problem
}

func (e *Error) Error() string {
	lines := make([]string, len(e.Problems))
	for i, p := range e.Problems {
		lines[i] = p.String()
	}
	return strings.Join(lines, "\n")
}

// Load reads the settings from environment entries of the form NAME=value, as os.Environ gives them. An
// empty value counts as not set. When anything is wrong it returns an *Error with every problem, those of
// known variables in the order of their declaration.
func Load(environ []string) (Config, error) {
	var c Config
	values := env.ToMap(environ)
	found, err := parse(&c, values)
	if err != nil {
		return Config{}, err
	}

	var problems []Problem
	for _, f := range fields(&c) {
		message, wrong := found[f.variable()]
		if !wrong {
			message = check(f)
		}
		if message != "" {
			problems = append(problems, Problem{f.variable(), message})
		}
	}
	if len(problems) == 0 {
		problems = checkTogether(c)
	}
	problems = append(problems, unknown(values)...)
	if len(problems) > 0 {
		return Config{}, &Error{problems}
	}
	return c, nil
}

// parse fills c and returns what could not be read, by variable. The groups are read one by one because
// the parser names a field without its group.
func parse(c *Config, values map[string]string) (map[string]string, error) {
	found := map[string]string{}
	root := reflect.ValueOf(c).Elem()
	for i := range root.NumField() {
		var all env.AggregateError
		err := env.ParseWithOptions(root.Field(i).Addr().Interface(), env.Options{Environment: values})
		if err != nil && !errors.As(err, &all) {
			return nil, fmt.Errorf("read settings: %w", err)
		}
		for _, err := range all.Errors {
			name, message, ok := explain(err, c, root.Type().Field(i).Name)
			if !ok {
				return nil, fmt.Errorf("read settings: %w", err)
			}
			found[name] = message
		}
	}
	return found, nil
}

func explain(err error, c *Config, group string) (name, message string, ok bool) {
	var (
		notSet    env.VarIsNotSetError
		empty     env.EmptyVarError
		malformed env.ParseError
	)
	switch {
	case errors.As(err, &notSet):
		return notSet.Key, "must be set", true
	case errors.As(err, &empty):
		return empty.Key, "must be set", true
	case errors.As(err, &malformed):
		for _, f := range fields(c) {
			if f.group == group && f.decl.Name == malformed.Name {
				_, expected := f.kind()
				return f.variable(), expected, true
			}
		}
	}
	return "", "", false
}

// foreign are variables that begin like ours and belong to the development and test tools.
var foreign = []string{"INSULA_DATA_DIR", "INSULA_PG_BIN", "INSULA_DEV_*", "INSULA_TEST_*"}

func isForeign(name string) bool {
	return slices.ContainsFunc(foreign, func(f string) bool {
		prefix, family := strings.CutSuffix(f, "*")
		return name == f || family && strings.HasPrefix(name, prefix)
	})
}

// unknown finds variables that begin like ours and are none: most often a misspelling, which would
// otherwise leave a default in force without anybody noticing.
func unknown(values map[string]string) []Problem {
	var known []string
	for _, f := range fields(&Config{}) {
		known = append(known, f.variable())
	}
	var problems []Problem
	for name := range values {
		if !strings.HasPrefix(name, "INSULA_") || isForeign(name) || slices.Contains(known, name) {
			continue
		}
		message := "is not a known setting"
		if near := nearest(name, known); near != "" {
			message += "; did you mean " + near + "?"
		}
		problems = append(problems, Problem{name, message})
	}
	slices.SortFunc(problems, func(a, b Problem) int { return strings.Compare(a.Variable, b.Variable) })
	return problems
}

// nearest returns the name with the fewest edits away from s, or "" when none is close.
func nearest(s string, names []string) string {
	best, least := "", len(s)/4+1
	for _, name := range names {
		if d := distance(s, name); d < least {
			best, least = name, d
		}
	}
	return best
}

// distance is the Levenshtein distance in bytes.
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := diagonal
			if a[i] != b[j] {
				cost++
			}
			diagonal = row[j+1]
			row[j+1] = min(cost, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(b)]
}
