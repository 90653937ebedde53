// Command routing measures what it costs to reach a tenant's schema: the same
// single-row read by several ways, interleaved in one run on one database.
//
//	.bin/dev test -- go run ./cmd/bench/routing -tenants 10,1000
//
// The ways: the floor (one schema, a plain pool), shared tables with row-level
// security, a transaction of separate round trips per read, and the wall
// (platform/pg). All of it talks to the loopback interface and stops by itself.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/insulahq/insula/cmd/bench/internal/program"
)

type options struct {
	url      string
	keep     string
	only     []string
	spreads  []string
	tenants  []int
	users    int
	conns    int
	callers  int
	rounds   int
	duration time.Duration
	tour     int
	warm     time.Duration
	starts   int
}

func main() { program.Main("routing", run) }

func run(ctx context.Context, args []string) error {
	o, err := parse(args)
	if err != nil {
		return err
	}
	for _, n := range o.tenants {
		if err := measure(ctx, o, n); err != nil {
			return err
		}
	}
	return nil
}

func parse(args []string) (options, error) {
	o := options{url: os.Getenv("INSULA_TEST_DATABASE_URL")}
	var tenants, only, spreads string
	flags := flag.NewFlagSet("routing", flag.ContinueOnError)
	flags.StringVar(&tenants, "tenants", "10,1000", "numbers of tenants to measure with")
	flags.StringVar(&o.keep, "keep", "", "begin of the names of databases to take over from an earlier run, or to leave to the next one")
	flags.StringVar(&only, "only", "", "the application names of the ways to run, to look at them with a profiler")
	flags.StringVar(&spreads, "spreads", "zipf,uniform", "spreads of the load over tenants")
	flags.IntVar(&o.users, "users", 20, "users in each tenant")
	flags.IntVar(&o.conns, "conns", 8, "connections of each way")
	flags.IntVar(&o.callers, "callers", 32, "callers at once")
	flags.IntVar(&o.rounds, "rounds", 25, "rounds of each way; figures are medians")
	flags.DurationVar(&o.duration, "duration", 400*time.Millisecond, "length of a turn of one way")
	flags.IntVar(&o.tour, "tour", 8, "how often each way reads in every tenant before it is called warm")
	flags.DurationVar(&o.warm, "warm", 5*time.Second, "how long each way then warms up with the load itself")
	flags.IntVar(&o.starts, "starts", 3, "how often a start is measured, with and without reading in the busiest tenants ahead")
	if err := flags.Parse(args); err != nil {
		return o, err
	}
	if o.url == "" {
		return o, errors.New("run it through `.bin/dev test -- go run ./cmd/bench/routing`: it needs a database server")
	}
	o.spreads = strings.Split(spreads, ",")
	if only != "" {
		o.only = strings.Split(only, ",")
	}
	for word := range strings.SplitSeq(tenants, ",") {
		n, err := strconv.Atoi(word)
		if err != nil || n < 1 || n > 20_000 {
			return o, fmt.Errorf("-tenants: %q is not a number from 1 to 20000", word)
		}
		o.tenants = append(o.tenants, n)
	}
	if o.rounds < 1 || o.rounds > 500 || o.duration > time.Minute || o.warm > 10*time.Minute || o.tour > 100 || o.starts > 100 || o.callers < 1 || o.callers > 512 || o.conns < 1 || o.conns > 64 {
		return o, errors.New("a flag is out of bounds: 1 to 500 rounds of at most 1m, 1 to 512 callers, 1 to 64 connections")
	}
	return o, nil
}
