package pgserver

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
)

// cachePassword opens a data directory that was just copied from the cache. It
// protects nothing: a started server changes it before its address is known.
const cachePassword = "fresh-from-the-cache"

// fresh makes the data directory of a throw-away server: a copy of one that
// initdb made earlier where possible, because initdb takes a second or more of
// processor time and the copy a fraction of it.
func (c cluster) fresh(ctx context.Context, cacheDir string, say func(string)) error {
	if err := os.RemoveAll(c.data()); err != nil {
		return fmt.Errorf("remove old throw-away data: %w", err)
	}
	if cacheDir == "" {
		return c.initdb(ctx, cachePassword)
	}
	cached := filepath.Join(cacheDir, c.key())
	if _, err := os.Stat(cached); err == nil {
		tmp := c.data() + ".tmp"
		err := errors.Join(os.RemoveAll(tmp), copyTree(cached, tmp), c.account.ownAll(tmp))
		if err == nil {
			return c.install(tmp)
		}
		say(fmt.Sprintf("cannot use the cached data directory %s: %v", cached, err))
	}
	if err := c.initdb(ctx, cachePassword); err != nil {
		return err
	}
	if err := c.remember(cached); err != nil {
		say(fmt.Sprintf("cannot cache the data directory: %v", err))
	}
	return nil
}

// remember puts a copy of the fresh data directory into the cache. Several
// processes may do so at once: each copies under a name of its own, and the
// rename of the first one wins.
func (c cluster) remember(cached string) error {
	if err := os.MkdirAll(filepath.Dir(cached), 0o700); err != nil {
		return err
	}
	sweep(cached)
	tmp := cached + ".tmp-" + strconv.Itoa(os.Getpid())
	defer os.RemoveAll(tmp)
	if err := copyTree(c.data(), tmp); err != nil {
		return err
	}
	if err := os.Rename(tmp, cached); err != nil {
		if _, statErr := os.Stat(cached); statErr != nil {
			return err
		}
	}
	return nil
}

// sweep removes copies that a killed process left half done.
func sweep(cached string) {
	left, _ := filepath.Glob(cached + ".tmp-*") // a cached name holds no pattern characters
	for _, dir := range left {
		pid, err := strconv.Atoi(strings.TrimPrefix(dir, cached+".tmp-"))
		if err == nil && !alive(pid) {
			_ = os.RemoveAll(dir) // leftovers cost space, nothing else
		}
	}
}

// alive reports whether a process of that number exists.
func alive(pid int) bool {
	err := syscall.Kill(pid, 0)
	return err == nil || errors.Is(err, syscall.EPERM)
}

// copyTree copies directories and plain files with their permissions: all that
// a fresh data directory consists of.
func copyTree(from, to string) error {
	return filepath.WalkDir(from, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(from, path)
		if err != nil {
			return err
		}
		target := filepath.Join(to, rel)
		info, err := d.Info()
		switch {
		case err != nil:
			return err
		case d.IsDir():
			return os.Mkdir(target, info.Mode().Perm())
		case info.Mode().IsRegular():
			return copyFile(path, target, info.Mode().Perm())
		}
		return fmt.Errorf("%s is neither a file nor a directory", path)
	})
}

// copyFile leaves the bytes to the kernel where it can copy by itself.
func copyFile(from, to string, mode fs.FileMode) error {
	in, err := os.Open(from)
	if err != nil {
		return err
	}
	defer in.Close()
	out, err := os.OpenFile(to, os.O_CREATE|os.O_EXCL|os.O_WRONLY, mode)
	if err != nil {
		return err
	}
	_, err = io.Copy(out, in)
	return errors.Join(err, out.Close())
}
