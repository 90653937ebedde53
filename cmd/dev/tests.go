package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/insulahq/insula/platform/pgserver"
)

// commandLimit is how long the command may take to end after Ctrl-C.
const commandLimit = 10 * time.Second

// runTests runs a command with parts that live as long as it does, and returns
// its failure. A part whose variable is set already stands elsewhere and is not
// started.
func runTests(ctx, hurry context.Context, s settings, args []string, say *progress) (err error) {
	if err := removeDeadRuns(s); err != nil {
		return err
	}
	s.data = s.in(testPrefix + strconv.Itoa(os.Getpid()))
	if err := os.MkdirAll(s.data, 0o755); err != nil {
		return fmt.Errorf("make a directory for the run: %w", err)
	}
	running := newStack()
	defer func() {
		cleanup := errors.Join(running.stopAll(hurry, say), removeDead(s.data))
		if cleanup != nil {
			err = errors.Join(err, cleanup)
		}
	}()
	var env environment
	if err := startTestParts(ctx, s, running, &env, say); err != nil {
		if ctx.Err() != nil {
			return errors.New("interrupted")
		}
		return err
	}
	return runCommand(ctx, hurry, running, env.over(os.Environ()), args)
}

// testPrefix begins the name of a test run's directory; the rest is the number
// of its process.
const testPrefix = "test-"

// removeDeadRuns removes what killed runs have left behind.
func removeDeadRuns(s settings) error {
	dirs, err := filepath.Glob(s.in(testPrefix + "*"))
	if err != nil {
		return err
	}
	for _, dir := range dirs {
		pid, err := strconv.Atoi(strings.TrimPrefix(filepath.Base(dir), testPrefix))
		if err != nil || !errors.Is(syscall.Kill(pid, 0), syscall.ESRCH) {
			continue // not ours, or alive
		}
		if err := removeDead(dir); err != nil {
			return err
		}
	}
	return nil
}

// removeDead removes the directory of one run that has ended.
func removeDead(dir string) error {
	return errors.Join(removeTree(pgserver.Elsewhere(filepath.Join(dir, "postgres"))), removeTree(dir))
}

// startTestParts brings up PostgreSQL, S3 and Redis with throw-away data.
func startTestParts(ctx context.Context, s settings, running *stack, env *environment, say *progress) error {
	given := func(name string) bool { env.take(os.LookupEnv, name); return env.get(name) != "" }
	s3Binary := func() (string, error) { return "", nil }
	withS3 := !given("INSULA_TEST_S3")
	if withS3 {
		s3Binary = later(ctx, func(ctx context.Context) (string, error) { return s.build(ctx, say, s3Program) })
	} else {
		env.take(os.LookupEnv, "INSULA_TEST_S3_ACCESS_KEY", "INSULA_TEST_S3_SECRET_KEY")
	}
	if !given("INSULA_TEST_DATABASE_URL") {
		server, p, err := startPostgres(ctx, say, pgserver.Options{Dir: s.in("postgres"), Profile: pgserver.Throwaway})
		if err != nil {
			return err
		}
		running.add(p)
		env.set("INSULA_TEST_DATABASE_URL", server.URL("postgres"))
	}
	if !given("INSULA_TEST_REDIS_URL") {
		url, p, err := startRedis(address{host: "127.0.0.1"}, newSecret(secretRedis), say)
		if err != nil {
			return err
		}
		running.add(p)
		env.set("INSULA_TEST_REDIS_URL", url)
	}
	binary, err := s3Binary()
	if err != nil || !withS3 {
		return err
	}
	addr, err := claim(address{host: "127.0.0.1"}, "S3", say)
	if err != nil {
		return err
	}
	server := s3Server{
		binary: binary, dir: s.in("s3"), log: s.in("s3.log"), addr: addr,
		accessKey: newSecret(secretS3Access), secretKey: newSecret(secretS3Secret),
	}
	p, err := server.start(ctx)
	if err != nil {
		return err
	}
	running.add(p)
	env.set("INSULA_TEST_S3", server.endpoint())
	env.set("INSULA_TEST_S3_ACCESS_KEY", server.accessKey)
	env.set("INSULA_TEST_S3_SECRET_KEY", server.secretKey)
	return nil
}

// runCommand runs the command in the foreground. Ctrl-C reaches it from the
// terminal; a signal to this process alone is passed on.
func runCommand(ctx, hurry context.Context, running *stack, env, args []string) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	watchCtx, stopWatching := context.WithCancel(ctx)
	defer stopWatching()
	go func() {
		if err := running.wait(watchCtx); err != nil {
			cancel(err) // without its parts the command can only fail
		}
	}()
	cmd := exec.CommandContext(ctx, args[0], args[1:]...)
	cmd.Env, cmd.Stdin, cmd.Stdout, cmd.Stderr = env, os.Stdin, os.Stdout, os.Stderr
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGINT) }
	cmd.WaitDelay = commandLimit
	if err := cmd.Start(); err != nil {
		return blame(ctx, err)
	}
	undo := context.AfterFunc(hurry, func() { _ = cmd.Process.Kill() })
	defer undo()
	return blame(ctx, cmd.Wait())
}

// blame returns the loss of a part rather than what it did to the command.
func blame(ctx context.Context, err error) error {
	if cause := context.Cause(ctx); cause != nil && !errors.Is(cause, context.Canceled) {
		return fmt.Errorf("%w (the command: %v)", cause, err)
	}
	return err
}
