package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/spf13/cobra"

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
	for _, part := range []struct {
		name     string
		optional bool
		check    func(context.Context) error
	}{
		{"database", false, p.Pool.Ready},
		{"migrator", false, func(ctx context.Context) error { _, err := p.Directory.Served(ctx); return err }},
		{"object store", false, p.Blobs.Ready},
		{"redis", true, p.Redis.Ready},
	} {
		checking, cancel := context.WithTimeout(ctx, examineTimeout)
		err := part.check(checking)
		cancel()
		switch {
		case err == nil:
			fmt.Fprintf(out, "ok    %s\n", part.name)
		case part.optional:
			fmt.Fprintf(out, "away  %s: %v (everything works without, slower)\n", part.name, err)
		default:
			fmt.Fprintf(out, "FAIL  %s: %v\n", part.name, err)
			sick = append(sick, fmt.Errorf("%s: %w", part.name, err))
		}
	}
	return errors.Join(sick...)
}
