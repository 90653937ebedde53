package domain

import (
	"bytes"
	"encoding/json"
	"maps"
	"slices"

	"github.com/insulahq/insula/modules/settings"
	"github.com/insulahq/insula/platform/setting"
)

// Describe makes the document of what is stored at a version.
func Describe(r *setting.Registry, version int64, stored []Stored) settings.Document {
	set := byName(stored)
	values := r.Values(rawOf(set))
	d := settings.Document{Version: version, Settings: []settings.Entry{}, Unknown: []settings.Unknown{}}
	for _, declared := range r.All() {
		e := settings.Entry{Def: declared.Def, Value: values.Show(declared.Def), Default: r.Values(nil).Show(declared.Def)}
		if s, ok := set[declared.Name]; ok {
			if _, problem := r.Check(s.Name, s.Value); problem == "" {
				e.ChangedAt = &s.ChangedAt
			}
		}
		d.Settings = append(d.Settings, e)
	}
	for _, s := range stored {
		if _, problem := r.Check(s.Name, s.Value); problem != "" {
			d.Unknown = append(d.Unknown, settings.Unknown{Name: s.Name, Value: s.Value, Reason: problem, ChangedAt: s.ChangedAt})
		}
	}
	return d
}

// Plan is what a change comes to.
type Plan struct {
	Put    map[string]json.RawMessage
	Remove []string
}

// Examine turns a change into a plan, of which nothing is left for what is
// stored already. It returns settings.ErrInvalid naming each wrong value, and
// settings.ErrOperatorOnly when who may not change one of them.
func Examine(r *setting.Registry, stored []Stored, c settings.Change, who setting.Who) (Plan, error) {
	set, plan, invalid := byName(stored), Plan{Put: map[string]json.RawMessage{}}, settings.ErrInvalid
	for _, name := range slices.Sorted(maps.Keys(c)) {
		def, known := r.Find(name)
		if known && def.Who == setting.Operator && who != setting.Operator {
			return Plan{}, settings.ErrOperatorOnly.At(pointer(name), "can be changed by the operator alone")
		}
		if bytes.Equal(bytes.TrimSpace(c[name]), []byte("null")) {
			if _, ok := set[name]; ok {
				plan.Remove = append(plan.Remove, name)
			} else if !known {
				invalid = invalid.At(pointer(name), "is not a setting")
			}
			continue
		}
		value, problem := r.Check(name, c[name])
		if problem != "" {
			invalid = invalid.At(pointer(name), problem)
		} else if !same(set[name].Value, value) {
			plan.Put[name] = value
		}
	}
	if len(invalid.Fields) > 0 {
		return Plan{}, invalid
	}
	return plan, nil
}

// Empty reports whether nothing is to be done.
func (p Plan) Empty() bool { return len(p.Put) == 0 && len(p.Remove) == 0 }

// Views are the values in force before and after, of what a plan touches.
func (p Plan) Views(before, after settings.Document) (settings.View, settings.View) {
	return p.view(before), p.view(after)
}

func (p Plan) view(d settings.Document) settings.View {
	v := settings.View{Values: map[string]any{}}
	for _, e := range d.Settings {
		_, put := p.Put[e.Name]
		if put || slices.Contains(p.Remove, e.Name) {
			v.Values[e.Name] = e.Value
		}
	}
	for _, u := range d.Unknown {
		if slices.Contains(p.Remove, u.Name) {
			v.Values[u.Name] = u.Value
		}
	}
	return v
}

func pointer(name string) string { return "#/values/" + name }

// same compares JSON that PostgreSQL may have written anew.
func same(stored, value json.RawMessage) bool {
	var a, b bytes.Buffer
	if len(stored) == 0 || json.Compact(&a, stored) != nil || json.Compact(&b, value) != nil {
		return false
	}
	return bytes.Equal(a.Bytes(), b.Bytes())
}

func byName(stored []Stored) map[string]Stored {
	set := make(map[string]Stored, len(stored))
	for _, s := range stored {
		set[s.Name] = s
	}
	return set
}

func rawOf(set map[string]Stored) map[string]json.RawMessage {
	raw := make(map[string]json.RawMessage, len(set))
	for name, s := range set {
		raw[name] = s.Value
	}
	return raw
}
