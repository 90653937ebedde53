package domain

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"unicode"
)

// MaxChange bounds what a record keeps of either side of a change, in bytes
// of JSON.
const MaxChange = 16 << 10

// Difference turns a thing as it was and as it is into what the trail keeps
// of them: JSON, nil for nil. When both are objects, only the fields that
// differ are kept. Fields that would take a side beyond MaxChange are replaced
// by a note of their size, the largest first. Secrets redact themselves when
// they become JSON (secret.Value).
//
// It fails only for a value that cannot become JSON, which is a mistake of
// whoever recorded it.
func Difference(before, after any) (was, is json.RawMessage, err error) {
	if was, err = encode(before); err != nil {
		return nil, nil, fmt.Errorf("the thing before the change: %w", err)
	}
	if is, err = encode(after); err != nil {
		return nil, nil, fmt.Errorf("the thing after the change: %w", err)
	}
	old, isObject := fieldsOf(was)
	now, areBoth := fieldsOf(is)
	if isObject && areBoth {
		for name, value := range old {
			if other, kept := now[name]; kept && bytes.Equal(value, other) {
				delete(old, name)
				delete(now, name)
			}
		}
	}
	return bounded(was, old), bounded(is, now), nil
}

// encode makes JSON that the database takes; nil for what is null.
func encode(v any) (json.RawMessage, error) {
	raw, err := json.Marshal(v)
	if err != nil {
		return nil, err
	}
	if string(raw) == "null" {
		return nil, nil
	}
	if bytes.Contains(raw, []byte(`\u`)) {
		return withoutNUL(raw)
	}
	return raw, nil
}

// withoutNUL replaces what PostgreSQL does not keep in jsonb, the character
// NUL and halves of surrogate pairs (which decoding replaces by itself).
func withoutNUL(raw []byte) (json.RawMessage, error) {
	d := json.NewDecoder(bytes.NewReader(raw))
	d.UseNumber()
	var v any
	if err := d.Decode(&v); err != nil {
		return nil, err
	}
	return json.Marshal(replaceNUL(v))
}

func replaceNUL(v any) any {
	const nul, instead = "\x00", string(unicode.ReplacementChar)
	switch v := v.(type) {
	case string:
		return strings.ReplaceAll(v, nul, instead)
	case []any:
		for i := range v {
			v[i] = replaceNUL(v[i])
		}
	case map[string]any:
		for name, value := range maps.Clone(v) {
			delete(v, name)
			v[strings.ReplaceAll(name, nul, instead)] = replaceNUL(value)
		}
	}
	return v
}

// fieldsOf takes an object apart.
func fieldsOf(raw json.RawMessage) (fields map[string]json.RawMessage, isObject bool) {
	if len(raw) == 0 || raw[0] != '{' {
		return nil, false
	}
	err := json.Unmarshal(raw, &fields)
	return fields, err == nil
}

// bounded writes the fields that are left of an object, or any other value as
// it is, within MaxChange.
func bounded(whole json.RawMessage, fields map[string]json.RawMessage) json.RawMessage {
	if fields == nil {
		if len(whole) > MaxChange {
			return cut(whole)
		}
		return whole
	}
	size := 2 // the braces
	for name, value := range fields {
		size += sizeOf(name, value)
	}
	largestFirst := slices.SortedFunc(maps.Keys(fields), func(a, b string) int {
		if n := len(fields[b]) - len(fields[a]); n != 0 {
			return n
		}
		return strings.Compare(a, b)
	})
	for _, name := range largestFirst {
		if size <= MaxChange {
			break
		}
		note := cut(fields[name])
		size += len(note) - len(fields[name])
		fields[name] = note
	}
	if size > MaxChange { // more fields than even their notes have room for
		return cut(whole)
	}
	return join(fields)
}

// sizeOf is at least what a field takes in JSON: six bytes for any byte of
// its name, quotes, colon and comma.
func sizeOf(name string, value json.RawMessage) int { return 6*len(name) + 4 + len(value) }

func cut(value json.RawMessage) json.RawMessage {
	return json.RawMessage(fmt.Sprintf(`"[cut: %d bytes]"`, len(value)))
}

// join writes an object with its fields in the order of their names.
func join(fields map[string]json.RawMessage) json.RawMessage {
	raw, err := json.Marshal(fields)
	if err != nil {
		panic(err) // every value was JSON a moment ago
	}
	return raw
}
