package migrate

import (
	"context"
	"fmt"
)

// Status is where a schema stands in the directory.
type Status struct {
	Current string   // newest version the schema has had, "" for none
	Pending []string // versions it lacks, oldest first
}

// Status reads where a schema stands; for the control scope the schema is ControlHistory. It takes no lock and
// changes nothing. Errors of the history are those of Apply.
func (d *Dir) Status(ctx context.Context, q Querier, schema string) (Status, error) {
	s, err := d.status(ctx, q, revisionsIn(schema))
	if err != nil {
		return Status{}, fmt.Errorf("migration status of schema %s: %w", schema, err)
	}
	return s, nil
}

func (d *Dir) status(ctx context.Context, q Querier, history revisions) (Status, error) {
	found, err := history.exists(ctx, q)
	if err != nil {
		return Status{}, err
	}
	if !found {
		return Status{Pending: d.Versions()}, nil
	}
	recorded, err := history.read(ctx, q)
	if err != nil {
		return Status{}, err
	}
	pending, err := d.pending(recorded)
	if err != nil {
		return Status{}, err
	}
	s := Status{Pending: versions(pending)}
	if n := len(d.files) - len(pending); n > 0 {
		s.Current = d.files[n-1].version
	}
	return s, nil
}
