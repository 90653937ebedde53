package main

import (
	"slices"
	"strings"
)

// environment is what the server gets to see, in the order it is written down.
type environment struct {
	names  []string
	values map[string]string
}

// set gives a variable a value.
func (e *environment) set(name, value string) {
	if e.values == nil {
		e.values = map[string]string{}
	}
	if _, known := e.values[name]; !known {
		e.names = append(e.names, name)
	}
	e.values[name] = value
}

// setDefault gives a variable a value unless the user has given it one.
func (e *environment) setDefault(env lookup, name, value string) {
	if given, ok := env(name); ok && given != "" {
		value = given
	}
	e.set(name, value)
}

// take passes variables on that the user has set.
func (e *environment) take(env lookup, names ...string) {
	for _, name := range names {
		if value, ok := env(name); ok {
			e.set(name, value)
		}
	}
}

// lines renders NAME=value, quoted for a shell.
func (e *environment) lines() string {
	var b strings.Builder
	for _, name := range e.names {
		b.WriteString(name + "='" + strings.ReplaceAll(e.values[name], "'", `'\''`) + "'\n")
	}
	return b.String()
}

// supervisorOnly reports whether a variable is meant for this program. The
// server refuses INSULA_ variables that it does not know, so that a misspelt
// one does not go unnoticed.
func supervisorOnly(name string) bool {
	return name == "INSULA_DATA_DIR" || name == "INSULA_PG_BIN" ||
		strings.HasPrefix(name, "INSULA_DEV_") || strings.HasPrefix(name, "INSULA_TEST_")
}

// over puts the values on top of a process environment.
func (e *environment) over(base []string) []string {
	out := slices.Clone(base)
	for _, name := range e.names {
		out = append(out, name+"="+e.values[name]) // of two, the last counts
	}
	return out
}

// get returns a value, empty when it is not set.
func (e *environment) get(name string) string { return e.values[name] }

// serverEnvironment is the process environment of the server.
func (e *environment) serverEnvironment(base []string) []string {
	return e.over(slices.DeleteFunc(slices.Clone(base), func(entry string) bool {
		name, _, _ := strings.Cut(entry, "=")
		return supervisorOnly(name)
	}))
}
