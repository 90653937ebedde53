package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"sync"
	"time"
)

const (
	// serverLimit is how long the server may drain; its own limit is shorter.
	serverLimit = 17 * time.Second
	// serverStart is how long it may take until it is ready.
	serverStart = 60 * time.Second
)

// run brings up a stack, tells how to use it, and keeps it until the user wants
// out or a part dies.
func run(ctx, hurry context.Context, s settings, partsOnly bool, say *progress, out io.Writer) (err error) {
	lock, err := lockData(s.data)
	if err != nil {
		return err
	}
	defer lock.Close()
	known, err := loadSecrets(s.in("secrets.env"))
	if err != nil {
		return err
	}
	// Scripts wait for these files: what an earlier run left would mislead them.
	files := []string{s.in("dev.json"), s.in("dev.env")}
	if err := removeAll(files); err != nil {
		return err
	}
	p := &parts{settings: s, secrets: known, stack: newStack(), say: say}
	p.compile = func(ctx context.Context, t target) (string, error) { return s.build(ctx, say, t) }
	defer func() {
		err = errors.Join(err, p.stack.stopAll(hurry, say), removeAll(files))
	}()
	if partsOnly {
		err = runParts(ctx, p, out)
	} else {
		err = runAll(ctx, p, out)
	}
	if ctx.Err() != nil && errors.Is(err, context.Canceled) {
		return nil // the user stopped the start; that is no failure
	}
	return err
}

// runParts is run without the server.
func runParts(ctx context.Context, p *parts, out io.Writer) error {
	s3Binary := later(ctx, func(ctx context.Context) (string, error) { return p.compile(ctx, s3Program) })
	if err := p.start(ctx, s3Binary); err != nil {
		return err
	}
	lines := p.env.lines()
	if err := writePrivate(p.settings.in("dev.env"), []byte(lines)); err != nil {
		return err
	}
	if _, err := io.WriteString(out, lines); err != nil {
		return err
	}
	p.say.line("the parts are up; the lines above are in %s", p.settings.in("dev.env"))
	return p.stack.wait(ctx)
}

// runAll is run with the server and the demo.
func runAll(ctx context.Context, p *parts, out io.Writer) error {
	var server string
	compiled := later(ctx, func(ctx context.Context) (s3 string, err error) {
		if server, err = p.compile(ctx, serverProgram); err != nil || p.settings.given.s3 {
			return "", err
		}
		return p.compile(ctx, s3Program)
	})
	if err := p.start(ctx, compiled); err != nil {
		return err
	}
	if _, err := compiled(); err != nil { // with a given S3 nobody has waited yet
		return err
	}
	if err := p.serve(ctx, server); err != nil {
		return err
	}
	demo := demoFor(p.secrets)
	err := p.say.during(ctx, "making the demo tenants", func(ctx context.Context) error {
		return p.seed(ctx, server, demo)
	})
	if err != nil {
		return fmt.Errorf("make the demo tenants: %w", err)
	}
	summary := p.summary(demo)
	if err := summary.write(p.settings.in("dev.json")); err != nil {
		return err
	}
	if err := summary.print(out, p.settings.in("log"), p.say.elapsed()); err != nil {
		return err
	}
	return p.stack.wait(ctx)
}

// serve migrates the database and starts the server.
func (p *parts) serve(ctx context.Context, binary string) error {
	began := p.say.elapsed()
	err := p.say.during(ctx, "migrating", func(ctx context.Context) error {
		_, err := finish(ctx, p.env.serverEnvironment(os.Environ()), binary, "migrate")
		return err
	})
	if err != nil {
		return err
	}
	p.say.line("migrated (%.2f s)", (p.say.elapsed() - began).Seconds())
	running, err := program{
		name: "the server", file: binary, args: []string{"serve"}, env: p.env.serverEnvironment(os.Environ()),
		log: p.settings.in("log", "insula.log"), stopLimit: serverLimit,
	}.start()
	if err != nil {
		return err
	}
	p.stack.add(running)
	err = p.say.during(ctx, "waiting for the server", func(ctx context.Context) error {
		return poll(ctx, running, serverStart, answers(p.settings.http.local()+"/readyz"))
	})
	if err != nil {
		return fmt.Errorf("the server: %w", err)
	}
	p.say.line("the server is ready")
	return nil
}

// later runs work in the background; the function it returns waits for the
// result, as often as it is asked.
func later(ctx context.Context, work func(context.Context) (string, error)) func() (string, error) {
	once := sync.OnceValues(func() (string, error) { return work(ctx) })
	go func() { _, _ = once() }() // whoever needs the result asks for it, and for the error
	return once
}

// removeAll removes files that may not be there.
func removeAll(files []string) error {
	for _, f := range files {
		if err := os.Remove(f); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	return nil
}
