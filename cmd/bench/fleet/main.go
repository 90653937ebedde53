// Command fleet measures what a fleet of tenants costs to make, to bring to a
// new version, and to look at when there is nothing to do.
//
//	.bin/dev test -- go run ./cmd/bench/fleet -tenants 1000
//
// The tenants have the product's own schema. The new version is one that adds
// a column and builds an index outside a transaction.
package main

import (
	"context"
	"errors"
	"flag"
	"os"

	"github.com/insulahq/insula/cmd/bench/internal/program"
)

type options struct {
	url      string
	tenants  int
	parallel int
	brief    bool
}

func main() { program.Main("fleet", run) }

func run(ctx context.Context, args []string) error {
	o := options{url: os.Getenv("INSULA_TEST_DATABASE_URL")}
	flags := flag.NewFlagSet("fleet", flag.ContinueOnError)
	flags.IntVar(&o.tenants, "tenants", 1000, "how many tenants")
	flags.IntVar(&o.parallel, "parallel", 4, "tenants at once")
	flags.BoolVar(&o.brief, "provision-only", false, "stop when the tenants are made")
	if err := flags.Parse(args); err != nil {
		return err
	}
	if o.tenants < 100 || o.tenants > 20_000 || o.parallel < 1 || o.parallel > 64 {
		return errors.New("out of bounds: 100 to 20000 tenants, 1 to 64 at once")
	}
	if o.url == "" {
		return errors.New("run it through `.bin/dev test -- go run ./cmd/bench/fleet`: it needs a database server")
	}
	d, err := openDatabase(ctx, o)
	if err != nil {
		return err
	}
	return errors.Join(measure(ctx, o, d), d.drop(context.WithoutCancel(ctx)))
}
