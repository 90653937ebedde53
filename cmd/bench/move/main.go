// Command move measures what moving a tenant between two database servers
// costs its users: it fills a tenant, has it written to and read all the time,
// and moves it there and back.
//
//	go run ./cmd/bench/move -mb 200 -moves 6
//
// Both servers are its own, keep what they commit (fsync is on), listen on the
// loopback interface and are removed in the end. Every change that was
// acknowledged is looked for afterwards.
package main

import (
	"context"
	"errors"
	"flag"

	"github.com/insulahq/insula/cmd/bench/internal/program"
)

type options struct {
	mb      int
	moves   int
	writers int
	readers int
}

func main() { program.Main("move", run) }

func run(ctx context.Context, args []string) error {
	var o options
	flags := flag.NewFlagSet("move", flag.ContinueOnError)
	flags.IntVar(&o.mb, "mb", 200, "size of the tenant's tables without indexes, in MB")
	flags.IntVar(&o.moves, "moves", 6, "how often it moves: there, back, there …")
	flags.IntVar(&o.writers, "writers", 4, "who write all the time")
	flags.IntVar(&o.readers, "readers", 2, "who read all the time")
	if err := flags.Parse(args); err != nil {
		return err
	}
	if o.mb < 1 || o.mb > 20_000 || o.moves < 1 || o.writers < 0 || o.readers < 0 {
		return errors.New("out of bounds: 1 to 20000 MB, at least one move")
	}
	h, err := build(ctx, o)
	if err == nil {
		err = measure(ctx, o, h)
	}
	return errors.Join(err, h.close(context.WithoutCancel(ctx)))
}
