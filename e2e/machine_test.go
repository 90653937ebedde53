package e2e_test

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
)

// repository is the root of the checkout: the tests run in a folder below it.
func repository() (string, error) {
	dir, err := os.Getwd()
	return filepath.Dir(dir), err
}

// noteSources looks at every file that the programs are made of. The go command
// keeps the result of a test as long as nothing changes that the test has
// looked at, and of programs built by a child process it knows nothing.
func noteSources() error {
	root, err := repository()
	if err != nil {
		return err
	}
	return filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
		switch name := filepath.Base(path); {
		case errors.Is(err, fs.ErrNotExist):
			return nil // somebody's temporary file
		case err != nil:
			return err
		case entry.IsDir() && path != root && (strings.HasPrefix(name, ".") || name == "node_modules"):
			return fs.SkipDir
		case entry.IsDir():
			return nil
		}
		_, _ = os.Stat(path) // looked at, which is all that matters
		return nil
	})
}

// goBuild compiles a program of the main module.
func goBuild(out, pkg string) error {
	root, err := repository()
	if err != nil {
		return err
	}
	cmd := exec.Command("go", "build", "-o", out, pkg)
	cmd.Dir = root
	cmd.Env = append(os.Environ(), "GOWORK=off", "PWD="+root)
	if text, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("go build %s: %w\n%s", pkg, err, text)
	}
	return nil
}

// cleanEnvironment is this process's environment without what would steer a
// stack: the tests decide that.
func cleanEnvironment() []string {
	var out []string
	for _, entry := range os.Environ() {
		name, _, _ := strings.Cut(entry, "=")
		switch {
		case name == "INSULA_PG_BIN": // where the machine has its PostgreSQL
		case strings.HasPrefix(name, "INSULA_"), strings.HasPrefix(name, "S3_"),
			name == "DATABASE_URL", name == "REDIS_URL", name == "SMTP_URL":
			continue
		}
		out = append(out, entry)
	}
	return out
}

// freePorts asks the system for ports that are free. It stays below the range
// that the system itself gives to outgoing connections, so that a port is still
// free when the program that is told of it gets there.
func freePorts(n int) ([]string, error) {
	const lowest, highest, tries = 10_000, 32_000, 1000
	var ports []string
	var held []net.Listener
	defer func() {
		for _, l := range held {
			l.Close()
		}
	}()
	for range tries {
		port := strconv.Itoa(lowest + rand.IntN(highest-lowest))
		l, err := new(net.ListenConfig).Listen(context.Background(), "tcp", net.JoinHostPort("127.0.0.1", port))
		if err != nil {
			continue
		}
		held, ports = append(held, l), append(ports, port)
		if len(ports) == n {
			return ports, nil
		}
	}
	return nil, errors.New("the system has no free ports")
}

// process is one process of a stack, told apart from a later one of the same
// number by what ps says of its start.
type process struct {
	pid, parent  int
	state, birth string
	name         string
}

// processes lists all processes of the machine.
func processes() ([]process, error) {
	if dirs, err := filepath.Glob("/proc/[0-9]*/stat"); err == nil && len(dirs) > 0 {
		return procFS(dirs), nil
	}
	out, err := exec.Command("ps", "-A", "-o", "pid=,ppid=,state=,lstart=,comm=").Output()
	if err != nil {
		return nil, fmt.Errorf("list the processes: %w", err)
	}
	var all []process
	for line := range strings.Lines(string(out)) {
		f := strings.Fields(line)
		if len(f) < 9 { // a start is five words
			continue
		}
		p := process{state: f[2], birth: strings.Join(f[3:8], " "), name: f[8]}
		p.pid, _ = strconv.Atoi(f[0])
		p.parent, _ = strconv.Atoi(f[1])
		all = append(all, p)
	}
	return all, nil
}

// procFS reads Linux's files of processes, which are there without a ps.
func procFS(files []string) []process {
	var all []process
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			continue // it has just ended
		}
		// pid (name) state ppid …: the name may hold blanks and brackets.
		head, rest, _ := strings.Cut(string(text), " (")
		at := strings.LastIndex(rest, ") ")
		if at < 0 {
			continue
		}
		f := strings.Fields(rest[at+2:])
		if len(f) < 20 {
			continue
		}
		p := process{state: f[0], birth: f[19], name: rest[:at]}
		p.pid, _ = strconv.Atoi(head)
		p.parent, _ = strconv.Atoi(f[1])
		all = append(all, p)
	}
	return all
}

// descendants are the children of a process, their children, and so on.
func descendants(pid int) ([]process, error) {
	all, err := processes()
	if err != nil {
		return nil, err
	}
	family := map[int]bool{pid: true}
	var found []process
	for grown := true; grown; {
		grown = false
		for _, p := range all {
			if family[p.parent] && !family[p.pid] {
				family[p.pid], grown = true, true
				found = append(found, p)
			}
		}
	}
	return found, nil
}

// alive reports whether the process still does something; one that nobody has
// buried yet does not.
func (p process) alive() bool {
	all, err := processes()
	if err != nil {
		return true
	}
	for _, now := range all {
		if now.pid == p.pid && now.birth == p.birth {
			return !strings.HasPrefix(now.state, "Z")
		}
	}
	return false
}
