package pgserver

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"os/exec"
	"testing"
	"time"
)

const parentEnv = "PGSERVER_TEST_PARENT"

// TestMain lets the test binary play the parent that dies.
func TestMain(m *testing.M) {
	if dir := os.Getenv(parentEnv); dir != "" {
		playParent(dir)
	}
	os.Exit(m.Run())
}

// playParent starts a server, tells its process number and waits to be killed.
func playParent(dir string) {
	s, err := Start(context.Background(), Options{Dir: dir, Profile: Throwaway})
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	fmt.Println(s.process.PID(), s.cluster.data())
	<-s.Done()
	os.Exit(0)
}

// TestServerEndsWithItsParent kills the parent in the way that leaves it no
// time to clean up.
func TestServerEndsWithItsParent(t *testing.T) {
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), parentEnv+"="+home(t))
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	var pid int
	var data string
	if _, err := fmt.Fscan(bufio.NewReader(out), &pid, &data); err != nil {
		cmd.Process.Kill()
		t.Fatalf("the parent told no process number: %v", err)
	}
	if !serves(t.Context(), pid, data) {
		t.Fatal("the server does not run")
	}
	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	cmd.Wait()
	deadline := time.After(10 * time.Second)
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for serves(t.Context(), pid, data) {
		select {
		case <-deadline:
			t.Fatalf("process %d outlives its parent", pid)
		case <-tick.C:
		}
	}
}
