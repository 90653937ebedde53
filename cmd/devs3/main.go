// Command devs3 serves the S3 protocol from a directory, for development and
// tests only. It lives in a module of its own so that the gateway's many
// dependencies never enter the product's module.
//
// The keys come from the environment, because arguments are visible to every
// user of the machine:
//
//	DEVS3_ACCESS_KEY=… DEVS3_SECRET_KEY=… devs3 -addr 127.0.0.1:9000 -dir .data/s3
//
// It stops on SIGTERM or SIGINT and, with -exit-with-stdin, as soon as its
// standard input ends: a supervisor that holds the other end of the pipe takes
// it along however it dies.
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
	if err := run(os.Args[1:], os.Getenv, os.Stdin); err != nil {
		fmt.Fprintln(os.Stderr, "devs3:", err)
		os.Exit(1)
	}
}

// run reads flags and keys, then serves until a signal, or the end of stdin
// when that was asked for.
func run(args []string, getenv func(string) string, stdin io.Reader) error {
	var s settings
	var exitWithStdin bool
	flags := flag.NewFlagSet("devs3", flag.ContinueOnError)
	flags.StringVar(&s.addr, "addr", "127.0.0.1:9000", "`host:port` to listen on")
	flags.StringVar(&s.dir, "dir", "", "`directory` that holds objects, versions and metadata")
	flags.StringVar(&s.region, "region", "us-east-1", "region the signatures name")
	flags.BoolVar(&exitWithStdin, "exit-with-stdin", false, "stop when standard input ends")
	if err := flags.Parse(args); err != nil {
		if errors.Is(err, flag.ErrHelp) {
			return nil
		}
		return err
	}
	s.accessKey, s.secretKey = getenv("DEVS3_ACCESS_KEY"), getenv("DEVS3_SECRET_KEY")
	if err := s.check(); err != nil {
		return err
	}
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, syscall.SIGINT)
	defer stop()
	if exitWithStdin {
		go func() {
			_, _ = io.Copy(io.Discard, stdin)
			stop()
		}()
	}
	return serve(ctx, s)
}
