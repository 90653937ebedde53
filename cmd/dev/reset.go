package main

import (
	"errors"
	"fmt"
	"os"

	"github.com/insulahq/insula/platform/pgserver"
)

// stateNames is everything a stack keeps. Only these are removed, so that a
// misdirected INSULA_DATA_DIR costs nobody their files.
var stateNames = []string{"dev.json", "dev.env", "secrets.env", "postgres", "s3", "mail", "log", "seed", "lock"}

// reset removes the state of a stack that does not run.
func reset(s settings, say *progress) error {
	if _, err := os.Stat(s.data); errors.Is(err, os.ErrNotExist) {
		say.line("nothing to remove: %s does not exist", s.data)
		return nil
	}
	lock, err := lockData(s.data)
	if err != nil {
		return err
	}
	defer lock.Close()
	if err := removeTree(pgserver.Elsewhere(s.in("postgres"))); err != nil {
		return err
	}
	if err := removeDeadRuns(s); err != nil {
		return err
	}
	for _, name := range stateNames {
		if err := removeTree(s.in(name)); err != nil {
			return err
		}
	}
	if err := os.Remove(s.data); err != nil {
		say.line("%s keeps what does not belong to a stack", s.data)
		return nil
	}
	say.line("removed %s", s.data)
	return nil
}

func removeTree(path string) error {
	if err := os.RemoveAll(path); err != nil {
		return fmt.Errorf("remove state: %w", err)
	}
	return nil
}
