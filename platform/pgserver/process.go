package pgserver

import (
	"os"
	"os/exec"
	"runtime"
	"syscall"
	"time"
)

// process is a running child.
type process struct {
	pid  int
	done chan struct{} // closed when the child has ended
	err  error         // why; read it after done
}

// spawn starts cmd as an account, in a process group of its own so that Ctrl-C
// in the terminal does not reach it behind the supervisor's back.
//
// The goroutine keeps its operating system thread for the whole life of the
// child, because the kernel's promise to signal the child is tied to the thread
// that made it, and an idle thread may be ended by the Go runtime.
func spawn(cmd *exec.Cmd, a account, onParentDeath syscall.Signal) (*process, error) {
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	a.apply(cmd.SysProcAttr)
	dieWithParent(cmd.SysProcAttr, onParentDeath)
	p := &process{done: make(chan struct{})}
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

// ended reports whether the child is gone.
func (p *process) ended() bool {
	select {
	case <-p.done:
		return true
	default:
		return false
	}
}

// signal tells the child, unless it has ended: its number may be another's by then.
func (p *process) signal(sig syscall.Signal) {
	if !p.ended() {
		_ = syscall.Kill(p.pid, sig) // a child that ends right now needs no signal
	}
}

// killLimit is how long the server's own emergency exit may take.
const killLimit = 3 * time.Second

// kill ends the server at once. SIGQUIT first: it takes the server's own
// children along, which notice the loss of a killed parent only later.
func (p *process) kill() {
	p.signal(syscall.SIGQUIT)
	timer := time.NewTimer(killLimit)
	defer timer.Stop()
	select {
	case <-p.done:
	case <-timer.C:
		p.signal(syscall.SIGKILL)
		<-p.done
	}
}

// environment is all that a PostgreSQL program gets to see: no PG* variable of
// the caller may change what the server does.
func environment(home string) []string {
	return []string{"PATH=" + os.Getenv("PATH"), "HOME=" + home, "LC_ALL=C", "TZ=UTC"}
}
