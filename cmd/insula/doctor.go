package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/spf13/cobra"

	"github.com/insulahq/insula/platform/tenancy"
	wiregen "github.com/insulahq/insula/wire_gen"
)

func doctorCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "doctor",
		Short: "Check that every part the process needs can be reached.",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return withProcess(cmd.Context(), func(p *wiregen.Process) error {
				return examine(cmd.Context(), p, cmd.OutOrStdout())
			})
		},
	}
	cmd.AddCommand(isolationCommand())
	return cmd
}

// examineTimeout bounds each check.
const examineTimeout = 5 * time.Second

func examine(ctx context.Context, p *wiregen.Process, out io.Writer) error {
	var sick []error
	for _, part := range parts(p) {
		checking, cancel := context.WithTimeout(ctx, examineTimeout)
		err := part.check(checking)
		cancel()
		switch {
		case err == nil:
			fmt.Fprintf(out, "ok    %s\n", part.name)
		case part.without != "":
			fmt.Fprintf(out, "away  %s: %v (%s)\n", part.name, err, part.without)
		default:
			fmt.Fprintf(out, "FAIL  %s: %v\n", part.name, err)
			sick = append(sick, fmt.Errorf("%s: %w", part.name, err))
		}
	}
	return errors.Join(sick...)
}

// part is something that the process works with.
type part struct {
	name    string
	without string // what works while it is away; empty when too little does
	check   func(context.Context) error
}

func parts(p *wiregen.Process) []part {
	all := []part{
		{"database", "", p.Pool.Ready},
		{"migrator", "", func(ctx context.Context) error { _, err := p.Placements.Main().Condition(ctx); return err }},
		{"object store", "", p.Blobs.Ready},
		{"redis", "everything works without, slower", p.Redis.Ready},
	}
	for name, m := range p.Placements.Each() {
		if name == tenancy.MainPlacement {
			continue
		}
		all = append(all, part{"placement " + name, "its tenants alone wait for it", func(ctx context.Context) error {
			_, err := m.Condition(ctx)
			return errors.Join(p.Pool.PlacementReady(ctx, name), err)
		}})
	}
	return all
}
