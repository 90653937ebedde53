package domain

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"time"
	"unicode/utf8"

	"github.com/google/uuid"
	"golang.org/x/mod/sumdb/tlog"
)

// instantForm writes an instant with all six digits that the database keeps.
const instantForm = "2006-01-02T15:04:05.000000Z"

// Canonical are the bytes that stand for an event in the tree: one line of
// JSON without a space, every field there and in this order, the keys of
// before and after sorted by their bytes. Only quotes, backslashes and
// control characters are escaped. A line of the NDJSON export is these bytes
// with the number of the record added as the last field, so whoever has the
// export needs no more than SHA-256 to check it.
//
// A field that is added to events later is left out where it is empty, so
// that the bytes of older records stay as they are.
func Canonical(e Event) ([]byte, error) {
	b := make([]byte, 0, 640)
	b = field(b, `{"id":`, e.ID.String())
	b = field(b, `,"at":`, e.At.UTC().Format(instantForm))
	b = field(b, `,"operation":`, e.Operation)
	b = field(b, `,"outcome":`, e.Outcome)
	b = field(b, `,"code":`, e.Code)
	b = field(b, `,"rule":`, e.Rule)
	b = field(b, `,"actor":{"kind":`, e.Actor.Kind)
	b = idField(b, `,"id":`, e.Actor.ID)
	b = field(b, `,"label":`, e.Actor.Label)
	b = idField(b, `},"session_id":`, e.SessionID)
	b = field(b, `,"target":{"kind":`, e.Target.Kind)
	b = field(b, `,"id":`, e.Target.ID)
	b = field(b, `,"label":`, e.Target.Label)
	b, err := jsonField(b, `},"before":`, e.Before)
	if err != nil {
		return nil, fmt.Errorf("event %s, before: %w", e.ID, err)
	}
	if b, err = jsonField(b, `,"after":`, e.After); err != nil {
		return nil, fmt.Errorf("event %s, after: %w", e.ID, err)
	}
	b = field(b, `,"request_id":`, e.RequestID)
	b = field(b, `,"address":`, e.Address)
	b = field(b, `,"client":`, e.Client)
	return append(b, '}'), nil
}

// LeafHash is the hash of an event in the tree.
func LeafHash(e Event) (tlog.Hash, error) {
	line, err := Canonical(e)
	if err != nil {
		return tlog.Hash{}, err
	}
	return tlog.RecordHash(line), nil
}

// numberMark begins what ExportLine adds to the canonical bytes.
var numberMark = []byte(`,"number":`)

// ExportLine is the line of an event in the NDJSON export: its canonical
// bytes and, once it is sealed, its number in the tree as the last field.
func ExportLine(e Event, number *int64) ([]byte, error) {
	line, err := Canonical(e)
	if err != nil || number == nil {
		return line, err
	}
	line = append(line[:len(line)-1], numberMark...)
	return append(strconv.AppendInt(line, *number, 10), '}'), nil
}

// ParseExportLine takes the canonical bytes and the number back out of a line.
// number is nil for a record that was not sealed when it was exported.
func ParseExportLine(line []byte) (canonical []byte, number *int64, err error) {
	line = bytes.TrimSpace(line)
	if len(line) < 2 || line[0] != '{' || line[len(line)-1] != '}' {
		return nil, nil, fmt.Errorf("not a line of an export: %.40q", line)
	}
	at := bytes.LastIndex(line, numberMark)
	if at < 0 {
		return line, nil, nil
	}
	n, err := strconv.ParseInt(string(line[at+len(numberMark):len(line)-1]), 10, 64)
	if err != nil || n < 0 {
		return line, nil, nil //nolint:nilerr // a text inside the record that looks like the mark
	}
	return append(bytes.Clone(line[:at]), '}'), &n, nil
}

func field(b []byte, name, value string) []byte { return quoted(append(b, name...), value) }

func idField(b []byte, name string, value *uuid.UUID) []byte {
	if value == nil {
		return append(append(b, name...), "null"...)
	}
	return field(b, name, value.String())
}

func jsonField(b []byte, name string, raw json.RawMessage) ([]byte, error) {
	b = append(b, name...)
	if raw == nil {
		return append(b, "null"...), nil
	}
	d := json.NewDecoder(bytes.NewReader(raw))
	d.UseNumber() // numbers keep the form they have in the database
	var v any
	if err := d.Decode(&v); err != nil {
		return nil, err
	}
	return value(b, v), nil
}

func value(b []byte, v any) []byte {
	switch v := v.(type) {
	case nil:
		return append(b, "null"...)
	case bool:
		return strconv.AppendBool(b, v)
	case json.Number:
		return append(b, v...)
	case string:
		return quoted(b, v)
	case []any:
		b = append(b, '[')
		for i, item := range v {
			if i > 0 {
				b = append(b, ',')
			}
			b = value(b, item)
		}
		return append(b, ']')
	case map[string]any:
		b = append(b, '{')
		for i, name := range slices.Sorted(maps.Keys(v)) {
			if i > 0 {
				b = append(b, ',')
			}
			b = append(quoted(b, name), ':')
			b = value(b, v[name])
		}
		return append(b, '}')
	}
	panic(fmt.Sprintf("audit: %T is nothing that JSON decodes to", v))
}

const hexDigits = "0123456789abcdef"

// quoted writes a string as JSON with no escape that is not needed.
func quoted(b []byte, s string) []byte {
	b = append(b, '"')
	start := 0
	for i := 0; i < len(s); {
		c := s[i]
		if c >= utf8.RuneSelf {
			_, size := utf8.DecodeRuneInString(s[i:])
			i += size
			continue
		}
		if c >= ' ' && c != '"' && c != '\\' {
			i++
			continue
		}
		b = append(b, s[start:i]...)
		if c < ' ' {
			b = append(b, '\\', 'u', '0', '0', hexDigits[c>>4], hexDigits[c&15])
		} else {
			b = append(b, '\\', c)
		}
		i++
		start = i
	}
	return append(append(b, s[start:]...), '"')
}

// instant reads what Canonical writes.
func instant(text string) (time.Time, error) { return time.Parse(instantForm, text) }
