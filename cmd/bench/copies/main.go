// Command copies measures what backing up, restoring and cloning a tenant
// takes: time, and the most memory of the process that does it.
//
//	.bin/dev test -- go run ./cmd/bench/copies -rows 400000 -files 500
//
// It does that at a quarter of the size first: memory must not grow with what
// is copied. The work is done by the commands of the binary, each a process of
// its own, on the database and the object store of the environment.
package main

import (
	"context"
	"errors"
	"flag"

	"github.com/insulahq/insula/cmd/bench/internal/program"
)

// options say how much is copied.
type options struct {
	rows  int // people, of about half a kilobyte each
	files int // of a mebibyte each
}

func main() { program.Main("copies", run) }

func run(ctx context.Context, args []string) error {
	var o options
	flags := flag.NewFlagSet("copies", flag.ContinueOnError)
	flags.IntVar(&o.rows, "rows", 400_000, "rows of the larger tenant")
	flags.IntVar(&o.files, "files", 500, "files of the larger tenant, of 1 MiB each")
	if err := flags.Parse(args); err != nil {
		return err
	}
	if o.rows < 4 || o.files < 4 {
		return errors.New("out of bounds: at least 4 rows and 4 files")
	}
	h, err := openHouse(ctx)
	if err != nil {
		return err
	}
	for _, size := range []options{{o.rows / 4, o.files / 4}, o} {
		if err = h.measure(ctx, size); err != nil {
			break
		}
	}
	return errors.Join(err, h.close(context.WithoutCancel(ctx)))
}
