package main

import (
	"regexp"
	"slices"
	"strings"
)

// token is a word, a quoted name or a sign; strings and comments are none.
var (
	noise = regexp.MustCompile(`(?s)--[^\n]*|/\*.*?\*/|'(?:[^']|'')*'|\$(\w*)\$.*?\$(?:\w*)\$`)
	token = regexp.MustCompile(`"(?:[^"]|"")+"|[A-Za-z_][\w$]*|\S`)
)

// unnamed lists the constraints and indexes that a statement makes without naming them. PostgreSQL would then
// choose a name, by rules that differ between a table that is created and one that is altered.
func unnamed(stmt string) []string {
	words := token.FindAllString(noise.ReplaceAllString(stmt, " "), -1)
	for i, w := range words {
		if !strings.HasPrefix(w, `"`) {
			words[i] = strings.ToUpper(w)
		}
	}
	if len(words) < 2 {
		return nil
	}
	switch {
	case words[0] == "CREATE" && slices.Contains(words[:min(4, len(words))], "INDEX"):
		return unnamedIndex(words)
	case words[0] == "CREATE" && slices.Contains(words[:min(4, len(words))], "TABLE"), words[0] == "ALTER" && words[1] == "TABLE":
		return unnamedConstraints(words)
	}
	return nil
}

func unnamedIndex(words []string) []string {
	after := words[slices.Index(words, "INDEX")+1:]
	for _, option := range []string{"CONCURRENTLY", "IF", "NOT", "EXISTS"} {
		if len(after) > 0 && after[0] == option {
			after = after[1:]
		}
	}
	if len(after) > 0 && after[0] == "ON" {
		return []string{"an index"}
	}
	return nil
}

func unnamedConstraints(words []string) []string {
	var found []string
	foreign := false // within FOREIGN KEY (…) REFERENCES, which is one constraint
	for i, w := range words {
		switch w {
		case "PRIMARY", "UNIQUE", "CHECK", "EXCLUDE", "FOREIGN", "REFERENCES":
		default:
			continue
		}
		if w == "REFERENCES" && foreign {
			foreign = false
			continue
		}
		foreign = w == "FOREIGN"
		if i < 2 || words[i-2] != "CONSTRAINT" {
			found = append(found, "a constraint ("+strings.Join(words[i:min(i+2, len(words))], " ")+")")
		}
	}
	return found
}
