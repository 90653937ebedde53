package main

import (
	"context"
	"fmt"

	atlas "ariga.io/atlas/sql/migrate"
	"ariga.io/atlas/sql/schema"
)

// history is a table of the runner, not of the product.
const history = "atlas_schema_revisions"

// plan returns what Atlas would do to lead the scope from one database to another; nil when it sees no
// difference. Both databases hold the scope under one name, so nothing is to be renamed.
func plan(ctx context.Context, name string, s scope, from, to *database) (*atlas.Plan, error) {
	have, err := from.inspect(ctx, s)
	if err != nil {
		return nil, err
	}
	want, err := to.inspect(ctx, s)
	if err != nil {
		return nil, err
	}
	changes, err := difference(to, s, have, want)
	if err != nil || len(changes) == 0 {
		return nil, err
	}
	p, err := to.atlas.PlanChanges(ctx, name, changes, func(o *atlas.PlanOptions) {
		o.Mode = atlas.PlanModeDeferred
		o.Indent = "  "
		if !s.qualified {
			o.SchemaQualifier = new(string)
		}
	})
	if err != nil {
		return nil, fmt.Errorf("plan the %s scope: %w", s.name, err)
	}
	return p, nil
}

// difference compares two states of a scope. Either may be nil: then the schema itself comes or goes.
func difference(d *database, s scope, have, want *schema.Schema) ([]schema.Change, error) {
	var changes []schema.Change
	switch {
	case have == nil && want == nil:
		return nil, nil
	case want == nil:
		return []schema.Change{&schema.DropSchema{S: have}}, nil
	case have == nil:
		have = schema.New(s.schema).AddAttrs(want.Attrs...)
		changes = append(changes, &schema.AddSchema{S: schema.New(s.schema)})
	}
	more, err := d.atlas.SchemaDiff(have, want)
	if err != nil {
		return nil, fmt.Errorf("compare the %s scope: %w", s.name, err)
	}
	return append(changes, more...), nil
}

// inspect reads the scope's schema as Atlas models it, or nil when there is none.
func (d *database) inspect(ctx context.Context, s scope) (*schema.Schema, error) {
	found, err := d.atlas.InspectSchema(ctx, s.schema, &schema.InspectOptions{Exclude: []string{history}})
	if schema.IsNotExistError(err) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("inspect the %s scope: %w", s.name, err)
	}
	return found, nil
}
