// Command devs3 serves the S3 protocol from a directory, for development and
// tests only. It lives in a module of its own so that the gateway's many
// dependencies never enter the product's module.
//
//	devs3 serve -addr 127.0.0.1:9000 -dir .data/s3
//	devs3 bucket -endpoint http://127.0.0.1:9000 -name insula -cors-origins '*'
//
// The keys come from the environment variables DEVS3_ACCESS_KEY and
// DEVS3_SECRET_KEY, because arguments are visible to every user of the machine.
//
// serve stops on SIGTERM or SIGINT and, with -exit-with-stdin, as soon as its
// standard input ends: a supervisor that holds the other end of the pipe takes
// it along however it dies. bucket makes a bucket unless it exists, sets who
// may use it from a browser, and ends.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, syscall.SIGINT)
	defer stop()
	err := run(ctx, os.Args[1:], os.Getenv, os.Stdin)
	if err != nil && !errors.Is(err, flag.ErrHelp) {
		fmt.Fprintln(os.Stderr, "devs3:", err)
		os.Exit(1)
	}
}

// keys are the credentials of the one account there is.
type keys struct{ access, secret string }

// run picks the command.
func run(ctx context.Context, args []string, getenv func(string) string, stdin io.Reader) error {
	k := keys{getenv("DEVS3_ACCESS_KEY"), getenv("DEVS3_SECRET_KEY")}
	if k.access == "" || k.secret == "" {
		return errors.New("DEVS3_ACCESS_KEY and DEVS3_SECRET_KEY are required")
	}
	if len(args) == 0 {
		return errors.New("want a command: serve or bucket")
	}
	switch args[0] {
	case "serve":
		return runServe(ctx, k, args[1:], stdin)
	case "bucket":
		return runBucket(ctx, k, args[1:])
	}
	return fmt.Errorf("unknown command %q: want serve or bucket", args[0])
}

// runServe serves until ctx ends, or the end of stdin when that is asked for.
func runServe(ctx context.Context, k keys, args []string, stdin io.Reader) error {
	s := settings{keys: k}
	var exitWithStdin bool
	flags := flag.NewFlagSet("devs3 serve", flag.ContinueOnError)
	flags.StringVar(&s.addr, "addr", "127.0.0.1:9000", "`host:port` to listen on")
	flags.StringVar(&s.dir, "dir", "", "`directory` that holds objects, versions and metadata")
	flags.StringVar(&s.region, "region", "us-east-1", "region the signatures name")
	flags.BoolVar(&exitWithStdin, "exit-with-stdin", false, "stop when standard input ends")
	if err := flags.Parse(args); err != nil {
		return err
	}
	if s.dir == "" {
		return errors.New("-dir is required")
	}
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	if exitWithStdin {
		go func() {
			_, _ = io.Copy(io.Discard, stdin) // however the pipe ends, it has ended
			stop()
		}()
	}
	return serve(ctx, s)
}
