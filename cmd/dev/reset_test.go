package main

import (
	"os"
	"path/filepath"
	"testing"
)

func TestResetRemovesStateAndNothingElse(t *testing.T) {
	say, _ := silent()
	s := settings{data: filepath.Join(t.TempDir(), "data")}
	if err := reset(s, say); err != nil {
		t.Fatalf("nothing to reset: %v", err)
	}
	for _, name := range []string{"postgres/data", "s3/objects", "test-999999999/postgres", "photos"} {
		if err := os.MkdirAll(s.in(name), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	lock, err := lockData(s.data)
	if err != nil {
		t.Fatal(err)
	}
	if err := reset(s, say); err == nil {
		t.Error("reset a stack that runs")
	}
	lock.Close()
	if err := reset(s, say); err != nil {
		t.Fatal(err)
	}
	left, err := os.ReadDir(s.data)
	if err != nil || len(left) != 1 || left[0].Name() != "photos" {
		t.Errorf("left: %v, %v", left, err)
	}
	if err := os.Remove(s.in("photos")); err != nil {
		t.Fatal(err)
	}
	if err := reset(s, say); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(s.data); !os.IsNotExist(err) {
		t.Errorf("an empty directory stays: %v", err)
	}
}
