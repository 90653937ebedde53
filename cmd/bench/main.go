// Command bench measures what Insula's HTTP API can do on the machine it runs
// on, against a floor: a bare net/http handler that runs the same single query
// on one schema.
//
//	make bench                                      everything, with the Go benchmarks
//	.bin/dev test -- go run ./cmd/bench             this alone
//	.bin/dev test -- go run ./cmd/bench -rounds 3 -duration 1s -json
//
// Floor, server and load are three processes, so that each has a garbage
// collector and sockets of its own and the client costs both the same. Rounds
// are interleaved: what slows the machine for a while slows all rows. All of it
// stays on the loopback interface and ends by itself. A request that fails ends
// the run with exit code 1.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"syscall"
	"time"
)

// floorCommand is the first argument that makes this program the floor.
const floorCommand = "floor"

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, os.Args[1:]); err != nil {
		if errors.Is(err, flag.ErrHelp) {
			os.Exit(2)
		}
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

// options are the flags.
type options struct {
	rounds      int
	duration    time.Duration
	connections int
	users       int
	asJSON      bool
	profile     string
	binary      string
	flood       bool
}

// run is main with a way to fail.
func run(ctx context.Context, args []string) error {
	if len(args) > 0 && args[0] == floorCommand {
		return serveFloor(ctx, os.Stdin, os.Stdout)
	}
	o, err := parse(args)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, o.limit())
	defer cancel()
	say := func(format string, args ...any) { fmt.Fprintf(os.Stderr, format+"\n", args...) }
	h, err := openHouse(ctx, o, say)
	if err != nil {
		return err
	}
	defer h.close()
	if o.flood {
		if err := h.settleFlooded(ctx); err != nil {
			return err
		}
	}
	results, err := measureAll(ctx, h, o, say)
	if err != nil {
		return err
	}
	if o.profile != "" {
		if err := profile(ctx, h, o, say); err != nil {
			return err
		}
	}
	return write(os.Stdout, results, o)
}

// The bounds of the flags: a run ends by itself, and soon.
const (
	maxRounds      = 100
	maxDuration    = time.Minute
	maxConnections = 1024
	maxUsers       = 200_000
)

func parse(args []string) (options, error) {
	var o options
	flags := flag.NewFlagSet("bench", flag.ContinueOnError)
	flags.IntVar(&o.rounds, "rounds", 7, "rounds of each row; figures are medians over them")
	flags.DurationVar(&o.duration, "duration", 3*time.Second, "length of a round")
	flags.IntVar(&o.connections, "connections", 32, "keep-alive connections, each with one request at a time")
	flags.IntVar(&o.users, "users", 5000, "users in the tenant")
	flags.BoolVar(&o.asJSON, "json", false, "print JSON instead of a table")
	flags.StringVar(&o.profile, "profile", "", "write a CPU profile of insula under users.get to this file")
	flags.StringVar(&o.binary, "binary", "", "measure this insula instead of the one of the working tree")
	flags.BoolVar(&o.flood, "flood", false, "measure a tenant beside a flood of logins in another, instead of the other rows")
	if err := flags.Parse(args); err != nil {
		return o, err
	}
	switch {
	case flags.NArg() > 0:
		return o, fmt.Errorf("unexpected argument %q", flags.Arg(0))
	case o.rounds < 1 || o.rounds > maxRounds:
		return o, fmt.Errorf("-rounds must be 1 to %d", maxRounds)
	case o.duration < 100*time.Millisecond || o.duration > maxDuration:
		return o, fmt.Errorf("-duration must be 100ms to %s", maxDuration)
	case o.connections < 1 || o.connections > maxConnections:
		return o, fmt.Errorf("-connections must be 1 to %d", maxConnections)
	case o.users < 100 || o.users > maxUsers:
		return o, fmt.Errorf("-users must be 100 to %d", maxUsers)
	}
	return o, nil
}

// limit is how long the whole run may take: twice what the rounds add up to,
// and time to build and to fill the database.
func (o options) limit() time.Duration {
	return 10*time.Minute + 2*time.Duration(o.rounds+1)*o.duration*rowCount
}
