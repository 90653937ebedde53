package main

import (
	"context"
	"errors"
	"fmt"
	"io"

	atlas "ariga.io/atlas/sql/migrate"
	"github.com/spf13/cobra"

	"github.com/insulahq/insula/platform/pg/catalog"
)

func checkCommand(p *project) *cobra.Command {
	return &cobra.Command{
		Use:   "check",
		Short: "Fail unless the migrations build exactly the declared schema, and that keeps the rules",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return p.withBoth(cmd.Context(), func(declared, migrated *database) error {
				return p.check(cmd.Context(), cmd.OutOrStdout(), declared, migrated)
			})
		},
	}
}

// withBoth runs f with two scratch databases: one with the declared files, one with the migrations replayed.
func (p *project) withBoth(ctx context.Context, f func(declared, migrated *database) error) error {
	return p.withServer(ctx, func(s *server) error {
		return s.withDatabase(ctx, func(declared *database) error {
			if err := p.buildDeclared(ctx, declared); err != nil {
				return fmt.Errorf("load the declared schema: %s", hint(err))
			}
			return s.withDatabase(ctx, func(migrated *database) error {
				if err := p.buildMigrated(ctx, migrated); err != nil {
					return fmt.Errorf("replay the migrations: %s", hint(err))
				}
				return f(declared, migrated)
			})
		})
	})
}

// check compares the two databases and looks for broken rules. It reports all it finds to w.
func (p *project) check(ctx context.Context, w io.Writer, declared, migrated *database) error {
	bad := false
	for _, s := range scopes {
		found, err := compare(ctx, s, declared, migrated)
		if err != nil {
			return err
		}
		broken, err := p.brokenRules(ctx, s, declared)
		if err != nil {
			return err
		}
		found = append(found, broken...)
		for _, line := range found {
			fmt.Fprintf(w, "%s: %s\n", s.name, line)
			bad = true
		}
		if len(found) == 0 {
			c, err := declared.catalog(ctx, s)
			if err != nil {
				return err
			}
			fmt.Fprintf(w, "%s: the migrations build the declared schema, %d objects, fingerprint %.16s\n", s.name, len(c), c.Fingerprint())
		}
	}
	if bad {
		return errors.New("the schema check failed; a new step is written by: schema diff NAME --scope SCOPE")
	}
	return nil
}

// compare says what the migrations lack to build the declared schema: first the statements that Atlas would
// add, then the objects that differ even after these, because Atlas does not see all there is.
func compare(ctx context.Context, s scope, declared, migrated *database) ([]string, error) {
	p, err := plan(ctx, "", s, migrated, declared)
	if err != nil {
		return nil, err
	}
	if p == nil {
		return drift(ctx, s, declared, migrated)
	}
	var lines []string
	for _, c := range p.Changes {
		lines = append(lines, "no migration does: "+c.Cmd)
	}
	rest, err := driftAfter(ctx, s, declared, migrated, p)
	return append(lines, rest...), err
}

// driftAfter is drift once the plan has run, which it does in a transaction that is rolled back.
func driftAfter(ctx context.Context, s scope, declared, migrated *database, p *atlas.Plan) ([]string, error) {
	tx, err := migrated.conn.Begin(ctx)
	if err != nil {
		return nil, err
	}
	defer func() { _ = tx.Rollback(ctx) }() // a scratch database: nothing is lost
	if err := migrated.enter(ctx, s); err != nil {
		return nil, err
	}
	for _, c := range p.Changes {
		if _, err := tx.Exec(ctx, c.Cmd); err != nil {
			return []string{"that does not run: " + hint(err)}, nil
		}
	}
	return drift(ctx, s, declared, migrated)
}

// drift names the objects of a scope that differ between the two databases.
func drift(ctx context.Context, s scope, declared, migrated *database) ([]string, error) {
	want, err := declared.catalog(ctx, s)
	if err != nil {
		return nil, err
	}
	got, err := migrated.catalog(ctx, s)
	if err != nil {
		return nil, err
	}
	return catalog.Diff(want, got), nil
}
