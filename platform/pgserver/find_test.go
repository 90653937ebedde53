package pgserver

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// plant writes an executable script.
func plant(t *testing.T, dir, name, body string) {
	t.Helper()
	if err := os.MkdirAll(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, name), []byte("#!/bin/sh\n"+body+"\n"), 0o755); err != nil {
		t.Fatal(err)
	}
}

func TestFinderTakesTheFirstUsablePlace(t *testing.T) {
	root := t.TempDir()
	wrapper, old, good := filepath.Join(root, "wrapper"), filepath.Join(root, "old"), filepath.Join(root, "good")
	plant(t, wrapper, "postgres", "echo 'postgres (PostgreSQL) 99.1'")
	plant(t, old, "postgres", "echo 'postgres (PostgreSQL) 14.3'")
	plant(t, old, "initdb", "")
	plant(t, good, "postgres", "echo 'postgres (PostgreSQL) 16.4 (Debian 16.4-1)'")
	plant(t, good, "initdb", "")
	f := finder{
		places:  []place{{filepath.Join(root, "absent"), "a"}, {wrapper, "b"}, {old, "c"}, {good, "d"}},
		inspect: func(dir string) (Binaries, error) { return inspect(t.Context(), dir) },
	}
	got, err := f.first(func(Binaries) bool { return true })
	want := Binaries{Dir: good, Version: "16.4 (Debian 16.4-1)", Major: 16}
	if err != nil || got != want {
		t.Fatalf("first = %+v, %v; want %+v", got, err, want)
	}

	_, err = f.first(func(b Binaries) bool { return b.Major == 17 })
	var missing *NotFoundError
	if !errors.As(err, &missing) {
		t.Fatalf("no version 17, yet error = %v", err)
	}
	for _, part := range []string{"no postgres there", "no initdb there", "version 14 is too old", "version 16 does not suit", "apt-get install", BinEnv} {
		if !strings.Contains(err.Error(), part) {
			t.Errorf("error lacks %q:\n%v", part, err)
		}
	}
}

func TestFinderObeysAnExplicitChoice(t *testing.T) {
	good := filepath.Join(t.TempDir(), "good")
	plant(t, good, "postgres", "echo 'postgres (PostgreSQL) 16.4'")
	plant(t, good, "initdb", "")
	f := finder{
		explicit: t.TempDir(), places: []place{{good, "PATH"}},
		inspect: func(dir string) (Binaries, error) { return inspect(t.Context(), dir) },
	}
	if b, err := f.first(func(Binaries) bool { return true }); err == nil {
		t.Fatalf("fell back to %+v behind the user's back", b)
	}
}

func TestNewestFirstSortsByNumber(t *testing.T) {
	root := t.TempDir()
	for _, v := range []string{"9.6", "15", "18", "postgresql@16"} {
		if err := os.MkdirAll(filepath.Join(root, v, "bin"), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	var got []string
	for _, d := range newestFirst(filepath.Join(root, "*", "bin")) {
		got = append(got, filepath.Base(filepath.Dir(d)))
	}
	if want := []string{"18", "postgresql@16", "15", "9.6"}; !slices.Equal(got, want) {
		t.Fatalf("order = %v, want %v", got, want)
	}
}
