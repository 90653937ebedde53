package main

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// fakePart notes when it is stopped.
func fakePart(name string, stopped *[]string) (part, chan struct{}) {
	done := make(chan struct{})
	return part{
		name: name, done: done, limit: time.Minute, err: func() error { return errors.New("exit status 3") },
		stop: func(context.Context) error { *stopped = append(*stopped, name); return nil },
	}, done
}

func TestStackStopsInReverse(t *testing.T) {
	var stopped []string
	s := newStack()
	for _, name := range []string{"database", "cache", "server"} {
		p, _ := fakePart(name, &stopped)
		s.add(p)
	}
	say, _ := silent()
	if err := s.stopAll(t.Context(), say); err != nil {
		t.Fatal(err)
	}
	if want := []string{"server", "cache", "database"}; !slices.Equal(stopped, want) {
		t.Fatalf("order = %v, want %v", stopped, want)
	}
}

func TestStackNoticesADeathAndNamesTheLog(t *testing.T) {
	log := filepath.Join(t.TempDir(), "part.log")
	if err := os.WriteFile(log, []byte("first\nout of memory\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	var stopped []string
	s := newStack()
	p, done := fakePart("server", &stopped)
	p.log = log
	s.add(p)
	close(done)
	err := s.wait(t.Context())
	if err == nil {
		t.Fatal("nobody noticed")
	}
	for _, want := range []string{"server", log, "exit status 3", "out of memory"} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("error lacks %q: %v", want, err)
		}
	}
}

func TestImpatienceReachesEveryStop(t *testing.T) {
	s := newStack()
	s.add(part{name: "slow", done: make(chan struct{}), limit: time.Hour, stop: func(ctx context.Context) error {
		<-ctx.Done()
		return ctx.Err()
	}})
	hurry, cancel := context.WithCancel(t.Context())
	cancel()
	say, _ := silent()
	if err := s.stopAll(hurry, say); !errors.Is(err, context.Canceled) {
		t.Fatalf("error = %v", err)
	}
}
