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

// build compiles one program of the repository into .bin and returns its path.
// Everything is built with the same flags, because the compiler's cache is kept
// per set of flags.
func (s settings) build(ctx context.Context, say *progress, name, module, pkg string) (string, error) {
	out := filepath.Join(s.root, ".bin", name)
	began := say.elapsed()
	err := say.during(ctx, "compiling "+name+" (minutes on a new machine, seconds later)", func(ctx context.Context) error {
		cmd := exec.CommandContext(ctx, "go", "build", "-o", out, pkg)
		cmd.Dir = filepath.Join(s.root, module)
		// A workspace file around the checkout, or a stray module, must not decide.
		cmd.Env = append(os.Environ(), "GOWORK=off", "PWD="+cmd.Dir)
		var text bytes.Buffer
		cmd.Stdout, cmd.Stderr = &text, &text
		if err := cmd.Run(); err != nil {
			return fmt.Errorf("compile %s: %w\n%s", name, err, strings.TrimSpace(text.String()))
		}
		return nil
	})
	if err == nil {
		say.line("%s compiled (%.1f s)", name, (say.elapsed() - began).Seconds())
	}
	return out, err
}

func (s settings) buildServer(ctx context.Context, say *progress) (string, error) {
	return s.build(ctx, say, "insula", ".", "./cmd/insula")
}

func (s settings) buildS3(ctx context.Context, say *progress) (string, error) {
	return s.build(ctx, say, "devs3", "cmd/devs3", ".")
}
