package main

import (
	"context"
	"fmt"
	"io"
	"sync"
	"time"
)

// tellEvery is the pause between two words about a step that takes long.
const tellEvery = 5 * time.Second

// progress prints one line per event, each with the time since the start.
// Terminals get the time dimmed; everything else gets plain text.
type progress struct {
	mu      sync.Mutex
	out     io.Writer
	tty     bool
	elapsed func() time.Duration
}

func newProgress(out io.Writer, tty bool, elapsed func() time.Duration) *progress {
	return &progress{out: out, tty: tty, elapsed: elapsed}
}

// line prints one event.
func (p *progress) line(format string, args ...any) {
	stamp := fmt.Sprintf("%7.2fs", p.elapsed().Seconds())
	if p.tty {
		stamp = "\x1b[2m" + stamp + "\x1b[0m"
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	fmt.Fprintf(p.out, "%s  %s\n", stamp, fmt.Sprintf(format, args...))
}

// during runs a step and says every few seconds that it still runs, so that
// nobody takes a slow machine for a broken one.
func (p *progress) during(ctx context.Context, what string, step func(context.Context) error) error {
	done := make(chan error, 1)
	go func() { done <- step(ctx) }()
	began := p.elapsed()
	tick := time.NewTicker(tellEvery)
	defer tick.Stop()
	for {
		select {
		case err := <-done:
			return err
		case <-tick.C:
			p.line("%s, %d s so far", what, int((p.elapsed() - began).Seconds()))
		}
	}
}

// Write prints text of another program as it is.
func (p *progress) Write(text []byte) (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.out.Write(text)
}
