package e2e_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
)

// document is the part of the served OpenAPI document that the tests go by.
type document struct {
	Paths      map[string]map[string]*operation
	Components struct{ Schemas map[string]*schema }
}

// operation is one operation of the document.
type operation struct {
	method, path string

	ID         string `json:"operationId"`
	Security   []map[string][]string
	Parameters []struct {
		In, Name string
		Required bool
		Schema   *schema
	}
	RequestBody *struct {
		Content map[string]struct{ Schema *schema }
	}
}

// schema is the part of JSON Schema that the document uses.
type schema struct {
	Ref        string `json:"$ref"`
	Type       string
	Format     string
	Enum       []any
	Examples   []any
	MinLength  int
	Minimum    int
	Properties map[string]*schema
	Items      *schema
}

// readDocument reads the document that an API serves.
func readDocument(t *testing.T, c client) *document {
	t.Helper()
	d := read[document](t, c.do(t, "GET", "/openapi.json", "").want(t, http.StatusOK))
	if len(d.Paths) == 0 {
		t.Fatal("the document has no paths")
	}
	return &d
}

// operations are all operations, in the order of their names.
func (d *document) operations() []*operation {
	var all []*operation
	for path, item := range d.Paths {
		for method, o := range item {
			o.method, o.path = strings.ToUpper(method), path
			all = append(all, o)
		}
	}
	slices.SortFunc(all, func(a, b *operation) int { return strings.Compare(a.ID, b.ID) })
	return all
}

// public reports whether the operation takes no token.
func (o *operation) public() bool { return len(o.Security) == 0 }

// takes reports whether the operation has a parameter.
func (o *operation) takes(in, name string) bool {
	for _, p := range o.Parameters {
		if p.In == in && p.Name == name {
			return true
		}
	}
	return false
}

// body makes a valid body of the operation, with known values for the
// properties that have them.
func (d *document) body(o *operation, known map[string]string) (text, contentType string, err error) {
	if o.RequestBody == nil {
		return "", "", nil
	}
	for contentType, media := range o.RequestBody.Content {
		if contentType != "application/json" {
			return "raw content", contentType, nil
		}
		value, err := d.sample("body", media.Schema, known)
		if err != nil {
			return "", "", err
		}
		text, err := json.Marshal(value)
		return string(text), contentType, err
	}
	return "", "", nil
}

// sample makes a value of a schema.
func (d *document) sample(name string, s *schema, known map[string]string) (any, error) {
	if ref, ok := strings.CutPrefix(s.Ref, "#/components/schemas/"); ok {
		s = d.Components.Schemas[ref]
	}
	if s == nil {
		return nil, fmt.Errorf("%s has a schema that the document does not hold", name)
	}
	if value, ok := known[name]; ok {
		return value, nil
	}
	switch {
	case s.Type == "object" || len(s.Properties) > 0:
		return d.sampleObject(s, known)
	case s.Format == "uuid":
		return nil, fmt.Errorf("%s is an identifier: say in the test what of the other tenant it is to name", name)
	case len(s.Enum) > 0:
		return s.Enum[0], nil
	case len(s.Examples) > 0:
		return s.Examples[0], nil
	case s.Type == "array":
		item, err := d.sample(name, s.Items, known)
		return []any{item}, err
	case s.Type == "integer", s.Type == "number":
		return s.Minimum, nil
	case s.Type == "boolean":
		return false, nil
	case s.Type == "string":
		return "Sample" + strings.Repeat("x", max(0, s.MinLength-6)), nil
	}
	return nil, fmt.Errorf("%s is of type %q, of which no sample is known", name, s.Type)
}

func (d *document) sampleObject(s *schema, known map[string]string) (any, error) {
	out := map[string]any{}
	for name, property := range s.Properties {
		value, err := d.sample(name, property, known)
		if err != nil {
			return nil, err
		}
		out[name] = value
	}
	return out, nil
}
