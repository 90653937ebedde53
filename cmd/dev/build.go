package main

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// target is one program of the repository.
type target struct{ name, module, pkg string }

var (
	serverProgram = target{"insula", ".", "./cmd/insula"}
	s3Program     = target{"devs3", "cmd/devs3", "."}
)

// build compiles a program into .bin and returns its path.
// Everything is built with the same flags, because the compiler's cache is kept
// per set of flags.
func (s settings) build(ctx context.Context, say *progress, t target) (string, error) {
	out := filepath.Join(s.root, ".bin", t.name)
	began := say.elapsed()
	err := say.during(ctx, "compiling "+t.name+" (minutes on a new machine, seconds later)", func(ctx context.Context) error {
		cmd := exec.CommandContext(ctx, "go", "build", "-o", out, t.pkg)
		cmd.Dir = filepath.Join(s.root, t.module)
		// A workspace file around the checkout, or a stray module, must not decide.
		cmd.Env = append(os.Environ(), "GOWORK=off", "PWD="+cmd.Dir)
		var text bytes.Buffer
		cmd.Stdout, cmd.Stderr = &text, &text
		if err := cmd.Run(); err != nil {
			return fmt.Errorf("compile %s: %w\n%s", t.name, err, strings.TrimSpace(text.String()))
		}
		return nil
	})
	if err == nil {
		say.line("%s compiled (%.1f s)", t.name, (say.elapsed() - began).Seconds())
	}
	return out, err
}
