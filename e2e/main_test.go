// Package e2e_test walks through the whole product as it is delivered: it
// builds the programs, starts the embedded stack with PostgreSQL, Redis, S3 and
// mail, and speaks to it over HTTP and by command alone. SQL is used to look at
// what happened, and to do what only an attacker or a crash could have done.
package e2e_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"testing"
)

// work is the directory of everything that these tests leave behind.
var work string

func TestMain(m *testing.M) { os.Exit(run(m)) }

func run(m *testing.M) (code int) {
	var err error
	if work, err = os.MkdirTemp("", "insula-e2e-"); err == nil {
		// PostgreSQL may run as another user, who must be able to pass through.
		err = os.Chmod(work, 0o755) // what is secret inside has its own permissions
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "e2e:", err)
		return 1
	}
	code = m.Run()
	if err := errors.Join(stopShared(), os.RemoveAll(work)); err != nil {
		fmt.Fprintln(os.Stderr, "e2e:", err)
		return 1
	}
	return code
}

// The tests share two stacks, each started by the first test that needs it:
// one with everything, for what people do, and one of parts alone, for what
// goes wrong with servers that the tests start and kill.
var (
	sharedHouse = sync.OnceValues(func() (*stack, error) { return startStack("house", "run") })
	sharedParts = sync.OnceValues(func() (*stack, error) { return startStack("parts", "run", "--parts-only") })
	started     stacks
)

// stacks are those that must be stopped at the end.
type stacks struct {
	mu   sync.Mutex
	list []*stack
}

func (s *stacks) add(one *stack) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.list = append(s.list, one)
}

// stopShared stops every stack that still runs. The end of a stack is a part of
// what is tested: it must be orderly.
func stopShared() error {
	started.mu.Lock()
	defer started.mu.Unlock()
	var failed []error
	for _, s := range started.list {
		failed = append(failed, s.stop(), s.reset())
	}
	return errors.Join(failed...)
}

// binary builds one of the programs, once.
func binary(name string) (string, error) {
	buildOnce.Lock()
	defer buildOnce.Unlock()
	out := filepath.Join(work, name)
	if _, err := os.Stat(out); err == nil {
		return out, nil
	}
	// Only what is looked at while tests run counts.
	if err := noteSources(); err != nil {
		return "", err
	}
	return out, goBuild(out, "./cmd/"+name)
}

var buildOnce sync.Mutex
