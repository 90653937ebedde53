package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/insulahq/insula/platform/pgserver/child"
)

// tailBytes and tailLines bound what an error quotes of a log.
const (
	tailBytes = 8 << 10
	tailLines = 20
)

// program is a child process of the stack.
type program struct {
	name, file, log string
	args, env       []string
	stopLimit       time.Duration
	// tether gives the program a standard input that ends with this process.
	tether bool
}

// start runs the program with its output in its log.
func (p program) start() (part, error) {
	if err := os.MkdirAll(filepath.Dir(p.log), 0o755); err != nil {
		return part{}, err
	}
	log, err := os.OpenFile(p.log, os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o600)
	if err != nil {
		return part{}, fmt.Errorf("open the log of %s: %w", p.name, err)
	}
	defer log.Close() // the child has its own descriptor
	cmd := exec.Command(p.file, p.args...)
	cmd.Env, cmd.Stdout, cmd.Stderr = p.env, log, log
	if p.tether {
		if _, err := cmd.StdinPipe(); err != nil {
			return part{}, err
		}
	}
	proc, err := child.Start(cmd, syscall.SIGTERM)
	if err != nil {
		return part{}, fmt.Errorf("start %s: %w", p.name, err)
	}
	return part{
		name: p.name, log: p.log, done: proc.Done(), err: proc.Err, limit: p.stopLimit,
		stop: func(ctx context.Context) error { return proc.Stop(ctx, syscall.SIGTERM) },
	}, nil
}

// finish runs a command that ends by itself and returns its standard output.
// Its failure quotes what it said.
func finish(ctx context.Context, env []string, file string, args ...string) ([]byte, error) {
	cmd := exec.CommandContext(ctx, file, args...)
	var complaint strings.Builder
	cmd.Env, cmd.Stderr = env, &complaint
	out, err := cmd.Output()
	if err != nil {
		what := filepath.Base(file) + " " + strings.Join(args[:min(2, len(args))], " ")
		return out, fmt.Errorf("%s: %w\n%s", what, err, lastLines(complaint.String()))
	}
	return out, nil
}

// tail returns the end of a log.
func tail(path string) string {
	f, err := os.Open(path)
	if err != nil {
		return ""
	}
	defer f.Close()
	size, err := f.Seek(0, io.SeekEnd)
	if err != nil {
		return ""
	}
	text, _ := io.ReadAll(io.NewSectionReader(f, max(0, size-tailBytes), tailBytes))
	return lastLines(string(text))
}

func lastLines(text string) string {
	lines := strings.Split(strings.TrimSpace(text), "\n")
	return strings.Join(lines[max(0, len(lines)-tailLines):], "\n")
}

// errEnded says that a part ended while it was waited for.
var errEnded = errors.New("it ended")

// poll asks ready every few milliseconds until it agrees, the part ends, or the
// limit is over.
func poll(ctx context.Context, p part, limit time.Duration, ready func(context.Context) error) error {
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for {
		err := ready(ctx)
		if err == nil {
			return nil
		}
		select {
		case <-p.done:
			return fmt.Errorf("%w: %v; its log is %s\n%s", errEnded, p.err(), p.log, tail(p.log))
		case <-ctx.Done():
			return fmt.Errorf("not ready within %s (%w); its log is %s\n%s", limit, err, p.log, tail(p.log))
		case <-tick.C:
		}
	}
}
