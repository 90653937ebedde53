// Command dev is the supervisor of development: it brings up everything that
// Insula needs as embedded parts, from an empty machine, and takes it down
// again in order. Insula itself runs as a child that knows nothing of this: it
// gets environment values, as in production.
//
//	dev run                  all parts, the server and two demo tenants
//	dev run --parts-only     the parts alone; their settings go to .data/dev.env
//	dev test -- go test ./…  a command with throw-away parts
//	dev env                  how to reach the running stack, for a shell
//	dev reset                removes all state
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"syscall"
	"time"

	"github.com/mattn/go-isatty"
)

const usage = `usage:
  dev run [--parts-only]     start everything, or only what the server depends on
  dev test -- command …      run a command with a throw-away PostgreSQL, Redis and S3
  dev env                    print how to reach the running stack: eval "$(.bin/dev env)"
  dev reset                  remove all state (INSULA_DATA_DIR, .data unless set)`

func main() {
	began := time.Now()
	tty := isatty.IsTerminal(os.Stderr.Fd())
	say := newProgress(os.Stderr, tty, func() time.Duration { return time.Since(began) })
	ctx, hurry := interrupts(say)
	err := command(ctx, hurry, os.Args[1:], say)
	if err == nil {
		return
	}
	// A command under `dev test` that fails has said why: its code is enough. One that is wrapped has something to say.
	if failed, ok := err.(*exec.ExitError); ok && failed.ExitCode() > 0 { //nolint:errorlint // the bare error alone
		os.Exit(failed.ExitCode())
	}
	fmt.Fprintln(os.Stderr, "dev:", err)
	os.Exit(1)
}

// command runs one subcommand. ctx ends when the user wants out; hurry ends
// when the user does not want to wait any longer.
func command(ctx, hurry context.Context, args []string, say *progress) error {
	if len(args) == 0 {
		return errors.New(usage)
	}
	s, err := readSettings(os.LookupEnv)
	if err != nil {
		return err
	}
	switch rest := args[1:]; args[0] {
	case "run":
		partsOnly := len(rest) == 1 && rest[0] == "--parts-only"
		if len(rest) > 0 && !partsOnly {
			return errors.New(usage)
		}
		return run(ctx, hurry, s, partsOnly, say, os.Stdout)
	case "test":
		if len(rest) > 0 && rest[0] == "--" {
			rest = rest[1:]
		}
		if len(rest) == 0 {
			return errors.New(usage)
		}
		return runTests(ctx, hurry, s, rest, say)
	case "env":
		return printShellEnv(s, os.Stdout)
	case "reset":
		return reset(s, say)
	case "help", "-h", "--help":
		_, err := io.WriteString(os.Stdout, usage+"\n")
		return err
	}
	return fmt.Errorf("unknown command %q\n%s", args[0], usage)
}

// interrupts ends the first context at the first Ctrl-C or SIGTERM, and the
// second at the next one.
func interrupts(say *progress) (ctx, hurry context.Context) {
	ctx, stop := context.WithCancel(context.Background())
	hurry, kill := context.WithCancel(context.Background())
	signals := make(chan os.Signal, 2)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
	go func() {
		<-signals
		say.line("stopping; press Ctrl-C again to stop at once")
		stop()
		<-signals
		kill()
	}()
	return ctx, hurry
}
