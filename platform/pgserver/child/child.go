// Package child runs processes that end with their parent and hear no Ctrl-C
// meant for it: the servers that a development supervisor keeps.
package child

import (
	"context"
	"fmt"
	"os/exec"
	"runtime"
	"syscall"
	"time"
)

// Process is a running child.
type Process struct {
	pid  int
	done chan struct{}
	err  error // read it after done
}

// Start runs cmd in a process group of its own, so that Ctrl-C in the terminal
// does not reach it behind the supervisor's back. Attributes that cmd already
// has are kept. On Linux the child receives onParentDeath when this process
// ends without having stopped it.
//
// A goroutine keeps its operating system thread for the whole life of the
// child, because the kernel's promise to signal the child is tied to the thread
// that made it, and an idle thread may be ended by the Go runtime.
func Start(cmd *exec.Cmd, onParentDeath syscall.Signal) (*Process, error) {
	if cmd.SysProcAttr == nil {
		cmd.SysProcAttr = &syscall.SysProcAttr{}
	}
	cmd.SysProcAttr.Setpgid = true
	dieWithParent(cmd.SysProcAttr, onParentDeath)
	p := &Process{done: make(chan struct{})}
	started := make(chan error, 1)
	go func() {
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		err := cmd.Start()
		if err == nil {
			p.pid = cmd.Process.Pid
		}
		started <- err
		if err != nil {
			return
		}
		p.err = cmd.Wait()
		close(p.done)
	}()
	if err := <-started; err != nil {
		return nil, err
	}
	return p, nil
}

// PID returns the process number.
func (p *Process) PID() int { return p.pid }

// Done is closed when the child has ended.
func (p *Process) Done() <-chan struct{} { return p.done }

// Ended reports whether the child is gone.
func (p *Process) Ended() bool {
	select {
	case <-p.done:
		return true
	default:
		return false
	}
}

// Err says why the child ended, once Done is closed: nil for exit code 0.
func (p *Process) Err() error {
	if !p.Ended() {
		return nil
	}
	return p.err
}

// Signal tells the child, unless it has ended: its number may be another's by then.
func (p *Process) Signal(sig syscall.Signal) {
	if !p.Ended() {
		_ = syscall.Kill(p.pid, sig) // a child that ends right now needs no signal
	}
}

// Stop sends sig and waits. When ctx ends first, the child is killed and the
// error says so; how the child itself ended is Err's subject.
func (p *Process) Stop(ctx context.Context, sig syscall.Signal) error {
	p.Signal(sig)
	select {
	case <-p.done:
		return nil
	case <-ctx.Done():
		p.Kill()
		return fmt.Errorf("process %d did not stop in time and was killed: %w", p.pid, ctx.Err())
	}
}

// killLimit is how long a child's own emergency exit may take.
const killLimit = 3 * time.Second

// Kill ends the child at once. SIGQUIT goes first: it lets a server take its own
// children along, which would notice the loss of a killed parent only later.
func (p *Process) Kill() {
	p.Signal(syscall.SIGQUIT)
	timer := time.NewTimer(killLimit)
	defer timer.Stop()
	select {
	case <-p.done:
	case <-timer.C:
		p.Signal(syscall.SIGKILL)
		<-p.done
	}
}
