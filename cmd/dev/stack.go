package main

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// part is something that runs for as long as the stack does.
type part struct {
	name string
	log  string // file to read when it fails; empty for parts inside this process
	done <-chan struct{}
	err  func() error // why it ended, once done
	stop func(context.Context) error
	// limit is how long a stop may take before the part is killed.
	limit time.Duration
}

// stack is the parts in the order of their start.
type stack struct {
	parts []part
	died  chan part
}

func newStack() *stack { return &stack{died: make(chan part, 16)} }

// add takes a running part and watches it.
func (s *stack) add(p part) {
	s.parts = append(s.parts, p)
	go func() {
		<-p.done
		s.died <- p
	}()
}

// wait returns when the user wants out (nil) or a part has died, whose log it
// names.
func (s *stack) wait(ctx context.Context) error {
	select {
	case <-ctx.Done():
		return nil
	case p := <-s.died:
		return p.lost()
	}
}

// lost describes the unwanted end of a part.
func (p part) lost() error {
	reason := "it ended"
	if err := p.err(); err != nil {
		reason = err.Error()
	}
	if p.log == "" {
		return fmt.Errorf("%s is gone (%s)", p.name, reason)
	}
	return fmt.Errorf("%s is gone (%s); its log is %s\n%s", p.name, reason, p.log, tail(p.log))
}

// stopAll stops the parts in reverse order, so that each still has what it
// depends on. When hurry ends, the rest is killed.
func (s *stack) stopAll(hurry context.Context, say *progress) error {
	var failed []error
	for i := len(s.parts) - 1; i >= 0; i-- {
		p := s.parts[i]
		began := say.elapsed()
		ctx, cancel := context.WithTimeout(hurry, p.limit)
		err := p.stop(ctx)
		cancel()
		if err != nil {
			failed = append(failed, fmt.Errorf("%s: %w", p.name, err))
			say.line("%s: %v", p.name, err)
			continue
		}
		say.line("%s stopped (%.2f s)", p.name, (say.elapsed() - began).Seconds())
	}
	s.parts = nil
	return errors.Join(failed...)
}
