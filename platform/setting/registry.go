package setting

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
)

// Registry is every setting of the binary, with the installation's defaults.
type Registry struct {
	all    []Declared
	byName map[string]Declared
}

// NewRegistry collects the settings of the modules. It panics when two share a
// name: that is a mistake in the source, found at the first start.
func NewRegistry(modules ...[]Declared) *Registry {
	r := &Registry{byName: map[string]Declared{}}
	for _, declared := range modules {
		for _, d := range declared {
			if _, twice := r.byName[d.Name]; twice {
				panic(fmt.Sprintf("setting: %s is declared twice", d.Name))
			}
			r.byName[d.Name] = d
		}
	}
	for _, name := range slices.Sorted(maps.Keys(r.byName)) {
		r.all = append(r.all, r.byName[name])
	}
	return r
}

// All lists the settings by name.
func (r *Registry) All() []Declared { return slices.Clone(r.all) }

// Find returns the setting of a name.
func (r *Registry) Find(name string) (Def, bool) {
	d, ok := r.byName[name]
	return d.Def, ok
}

// Default is the installation's default; it panics for a setting that nobody
// declares.
func (r *Registry) Default(name string) any {
	d, ok := r.byName[name]
	if !ok {
		panic("setting: nobody declares " + name)
	}
	return d.value
}

// Values are the settings in force where stored are set. What is unknown, and
// what its declaration does not allow any more, has no effect.
func (r *Registry) Values(stored map[string]json.RawMessage) Values {
	v := Values{registry: r}
	for name, raw := range stored {
		value, problem := r.parse(name, raw)
		if problem != "" {
			continue
		}
		if v.own == nil {
			v.own = make(map[string]any, len(stored))
		}
		v.own[name] = value
	}
	return v
}

// Check reads a value for a setting that is declared and returns it as it is
// to be stored. problem is empty when nothing is wrong with it.
func (r *Registry) Check(name string, raw json.RawMessage) (stored json.RawMessage, problem string) {
	value, problem := r.parse(name, raw)
	if problem != "" {
		return nil, problem
	}
	text, err := json.Marshal(r.byName[name].show(value))
	if err != nil {
		return nil, "cannot be stored"
	}
	return text, ""
}

func (r *Registry) parse(name string, raw json.RawMessage) (any, string) {
	d, ok := r.byName[name]
	if !ok {
		return nil, "is not a setting"
	}
	return d.parse(raw)
}
