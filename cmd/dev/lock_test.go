package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestLockNamesItsHolder(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "data")
	held, err := lockData(dir)
	if err != nil {
		t.Fatal(err)
	}
	_, err = lockData(dir)
	if err == nil || !strings.Contains(err.Error(), fmt.Sprintf("process %d", os.Getpid())) {
		t.Fatalf("second lock: %v, want an error with the holder's number", err)
	}
	held.Close()
	again, err := lockData(dir)
	if err != nil {
		t.Fatalf("after the holder is gone: %v", err)
	}
	again.Close()
}
