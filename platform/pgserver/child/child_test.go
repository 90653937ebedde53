package child

import (
	"bufio"
	"context"
	"os/exec"
	"syscall"
	"testing"
)

// TestStop asks politely, and kills what does not listen.
func TestStop(t *testing.T) {
	for name, c := range map[string]struct {
		script    string
		cancelled bool
	}{
		"a child that listens": {script: `trap 'exit 0' TERM; echo up; while :; do read line; done`},
		"a child that does not": {script: `trap '' TERM; trap 'exit 3' QUIT; echo up; while :; do read line; done`,
			cancelled: true},
	} {
		t.Run(name, func(t *testing.T) {
			cmd := exec.Command("/bin/sh", "-c", c.script)
			in, err := cmd.StdinPipe() // keeps the child waiting
			if err != nil {
				t.Fatal(err)
			}
			defer in.Close()
			out, err := cmd.StdoutPipe()
			if err != nil {
				t.Fatal(err)
			}
			p, err := Start(cmd, syscall.SIGKILL)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := bufio.NewReader(out).ReadString('\n'); err != nil {
				t.Fatal(err) // without its first line it has set no trap
			}
			if p.Ended() || p.Err() != nil {
				t.Fatal("ended at once")
			}
			if pgid, err := syscall.Getpgid(p.PID()); err != nil || pgid != p.PID() {
				t.Errorf("process group = %d, %v; want its own", pgid, err)
			}
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			if c.cancelled {
				cancel()
			}
			if err := p.Stop(ctx, syscall.SIGTERM); (err != nil) != c.cancelled {
				t.Errorf("Stop = %v", err)
			}
			if !p.Ended() || (p.Err() != nil) != c.cancelled {
				t.Errorf("ended = %v, Err = %v", p.Ended(), p.Err())
			}
		})
	}
}

func TestStartOfNothing(t *testing.T) {
	if _, err := Start(exec.Command("/nonexistent"), syscall.SIGKILL); err == nil {
		t.Fatal("started a program that does not exist")
	}
}
