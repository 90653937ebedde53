package pgserver

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// leftoverLimit is how long a server left behind by a killed run may take to
// shut down.
const leftoverLimit = 20 * time.Second

// clearPidFile deals with the postmaster.pid of an earlier run. PostgreSQL
// itself only looks whether a process of that number exists, so a number that
// was given to another program since would block the start for ever. The caller
// holds the lock of the home directory: nobody else starts a server here.
func (c cluster) clearPidFile(ctx context.Context, say func(string)) error {
	file := filepath.Join(c.data(), "postmaster.pid")
	text, err := os.ReadFile(file)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	first, _, _ := strings.Cut(string(text), "\n")
	pid, err := strconv.Atoi(strings.TrimSpace(first))
	if err != nil || pid <= 1 || !alive(pid) {
		return nil //nolint:nilerr // PostgreSQL overwrites such a file by itself
	}
	if serves(ctx, pid, c.data()) {
		say(fmt.Sprintf("stopping the PostgreSQL that an earlier run left behind (process %d)", pid))
		return stopLeftover(ctx, pid, c.data())
	}
	say(fmt.Sprintf("removing a stale postmaster.pid: process %d is not a PostgreSQL on this directory", pid))
	if err := os.Remove(file); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}

// serves reports whether process pid is a PostgreSQL working on data: a server
// makes its data directory its current one. Without /proc, ps tells the
// arguments, which name the directory too.
func serves(ctx context.Context, pid int, data string) bool {
	proc := filepath.Join("/proc", strconv.Itoa(pid))
	if cwd, err := os.Readlink(filepath.Join(proc, "cwd")); err == nil {
		name, _ := os.ReadFile(filepath.Join(proc, "comm"))
		return cwd == data && strings.HasPrefix(string(name), "postgres")
	}
	args, err := exec.CommandContext(ctx, "ps", "-p", strconv.Itoa(pid), "-o", "args=").Output()
	return err == nil && strings.Contains(string(args), "postgres") && strings.Contains(string(args), data)
}

// stopLeftover stops a server that is not our child and waits until it is gone.
// A process that has ended but that nobody collects still has its number, so
// the question is whether it serves, not whether it exists.
func stopLeftover(ctx context.Context, pid int, data string) error {
	ctx, cancel := context.WithTimeout(ctx, leftoverLimit)
	defer cancel()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	if err := syscall.Kill(pid, syscall.SIGINT); err != nil && !errors.Is(err, syscall.ESRCH) {
		return fmt.Errorf("stop the left-over PostgreSQL (process %d): %w", pid, err)
	}
	for serves(ctx, pid, data) {
		select {
		case <-ctx.Done():
			return fmt.Errorf("the left-over PostgreSQL (process %d) does not stop", pid)
		case <-tick.C:
		}
	}
	return nil
}
