package setting

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

// Values are the settings in force for a tenant: what it has set, and the
// installation's defaults for the rest. They never change.
type Values struct {
	registry *Registry
	own      map[string]any
}

func (v Values) find(name string) any {
	if value, ok := v.own[name]; ok {
		return value
	}
	return v.registry.Default(name)
}

// Show is the value of a setting in force, as it is written in JSON.
func (v Values) Show(d Def) any { return d.show(v.find(d.Name)) }

// parse reads a value. problem says in words what is wrong with it and never
// repeats it; it is empty when nothing is.
func (d Def) parse(raw json.RawMessage) (value any, problem string) {
	switch d.Kind {
	case Bool:
		return read[bool](raw, "must be true or false")
	case Int:
		return d.parseInt(raw)
	case Duration:
		return d.parseDuration(raw)
	case Word:
		word, problem := read[string](raw, "must be a text")
		if problem == "" && !slices.Contains(d.Words, word.(string)) {
			problem = "must be one of " + strings.Join(d.Words, ", ")
		}
		return word, problem
	case List:
		return d.parseList(raw)
	}
	return nil, "has no type"
}

// read decodes one JSON value of a type; null is none.
func read[T any](raw json.RawMessage, otherwise string) (any, string) {
	var v T
	if bytes.Equal(bytes.TrimSpace(raw), []byte("null")) || json.Unmarshal(raw, &v) != nil {
		return nil, otherwise
	}
	return v, ""
}

func (d Def) parseInt(raw json.RawMessage) (any, string) {
	value, problem := read[int64](raw, "must be a whole number")
	if n, ok := value.(int64); ok && (n < d.Min || n > d.Max) {
		problem = fmt.Sprintf("must be between %d and %d", d.Min, d.Max)
	}
	return value, problem
}

func (d Def) parseDuration(raw json.RawMessage) (any, string) {
	const otherwise = "must be a time such as 36h or 1h30m"
	text, problem := read[string](raw, otherwise)
	if problem != "" {
		return nil, problem
	}
	value, err := time.ParseDuration(text.(string))
	if err != nil {
		return nil, otherwise
	}
	if value < time.Duration(d.Min) || value > time.Duration(d.Max) {
		problem = fmt.Sprintf("must be between %s and %s", Plain(time.Duration(d.Min)), Plain(time.Duration(d.Max)))
	}
	return value, problem
}

func (d Def) parseList(raw json.RawMessage) (any, string) {
	value, problem := read[[]string](raw, "must be a list of texts")
	if problem != "" {
		return nil, problem
	}
	texts := value.([]string)
	if int64(len(texts)) > d.Max {
		return nil, fmt.Sprintf("must have at most %d entries", d.Max)
	}
	for i, text := range texts {
		if text == "" || len(text) > d.MaxText || !utf8.ValidString(text) || strings.ContainsFunc(text, unicode.IsControl) {
			return nil, fmt.Sprintf("must have entries of 1 to %d bytes without control characters", d.MaxText)
		}
		if d.Entry.Allows != nil && !d.Entry.Allows(text) {
			return nil, d.Entry.Words
		}
		if slices.Contains(texts[:i], text) {
			return nil, "must not have an entry twice"
		}
	}
	return texts, ""
}

// show is a value as JSON has it.
func (d Def) show(value any) any {
	if t, ok := value.(time.Duration); ok {
		return Plain(t)
	}
	return value
}

// Plain writes a time without the parts that are zero: "36h", not "36h0m0s".
func Plain(t time.Duration) string {
	text := t.String()
	if strings.HasSuffix(text, "m0s") {
		text = strings.TrimSuffix(text, "0s")
	}
	if strings.HasSuffix(text, "h0m") {
		text = strings.TrimSuffix(text, "0m")
	}
	return text
}
