package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/insulahq/insula/platform/pgserver/child"
)

// process is a child that is measured.
type process struct {
	name string
	log  string // holds both its outputs
	*child.Process
}

// start runs a program with its output in a file of that name.
func start(dir, name string, env []string, in io.Reader, file string, args ...string) (*process, error) {
	log, err := os.Create(filepath.Join(dir, name+".log"))
	if err != nil {
		return nil, err
	}
	defer log.Close() // the child has its own descriptor
	cmd := exec.Command(file, args...)
	cmd.Env, cmd.Stdin, cmd.Stdout, cmd.Stderr = env, in, log, log
	p, err := child.Start(cmd, syscall.SIGTERM)
	if err != nil {
		return nil, fmt.Errorf("start %s: %w", name, err)
	}
	return &process{name: name, log: log.Name(), Process: p}, nil
}

// stopLimit bounds the end of a child.
const stopLimit = 20 * time.Second

func (p *process) stop() error {
	ctx, cancel := context.WithTimeout(context.Background(), stopLimit)
	defer cancel()
	return p.Stop(ctx, syscall.SIGTERM)
}

// startLimit bounds the start of a child.
const startLimit = 30 * time.Second

// await returns the first line of the process's output that pick agrees to.
func (p *process) await(ctx context.Context, pick func(line string) bool) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, startLimit)
	defer cancel()
	var found string
	err := poll(ctx, func(context.Context) error {
		text, err := os.ReadFile(p.log)
		if err != nil {
			return err
		}
		for line := range strings.Lines(string(text)) {
			if strings.HasSuffix(line, "\n") && pick(line) {
				found = strings.TrimSpace(line)
				return nil
			}
		}
		if p.Ended() {
			return fmt.Errorf("%w: %v\n%s", errEnded, p.Err(), text)
		}
		return errors.New("not ready yet")
	})
	if err != nil {
		return "", fmt.Errorf("%s: %w", p.name, err)
	}
	return found, nil
}

// errEnded ends the wait for a process: it will not become ready any more.
var errEnded = errors.New("it ended")

// poll asks every few milliseconds until ready agrees or ctx ends.
func poll(ctx context.Context, ready func(context.Context) error) error {
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for {
		err := ready(ctx)
		if err == nil || errors.Is(err, errEnded) {
			return err
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("%w (%w)", err, ctx.Err())
		case <-tick.C:
		}
	}
}

// clockTick is the unit of the processor times in /proc, fixed in the kernel's
// interface for all common machines.
const clockTick = 10 * time.Millisecond

// cpuTime is the processor time a process has used, 0 where /proc does not
// tell.
func cpuTime(pid int) time.Duration {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return 0
	}
	// The name in parentheses may hold blanks; user and system time are the
	// 12th and 13th fields after it.
	fields := bytes.Fields(text[bytes.LastIndexByte(text, ')')+1:])
	if len(fields) < 13 {
		return 0
	}
	user, _ := strconv.ParseInt(string(fields[11]), 10, 64) // a number, by the kernel's word
	system, _ := strconv.ParseInt(string(fields[12]), 10, 64)
	return time.Duration(user+system) * clockTick
}
