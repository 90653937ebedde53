package pgserver

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"slices"
	"strconv"
	"syscall"
)

// PostgreSQL refuses to run as root, and initdb refuses a user without an entry
// in the passwd file. What root does about it, in this order:
//
//  1. become another user: the one who owns the directory, else postgres, else
//     nobody. Needs every parent directory to be open to that user.
//  2. a user namespace in which root goes by the name of nobody. Works below
//     closed directories and leaves the files to root, but containers may
//     forbid it.
//  3. a data directory in /var/tmp, where another user can always reach it.
//
// Each way is tried on a harmless command before it is taken, because neither
// capabilities nor container policies can be told from outside.

// account is the way the child processes run.
type account struct {
	// uid and gid will own the data directory.
	uid, gid int
	// describe says it to a person; empty when there is nothing to say.
	describe string
	// apply adds to the attributes of a child process.
	apply func(*syscall.SysProcAttr)
}

// own gives a path to the account.
func (a account) own(path string) error {
	if os.Geteuid() != 0 {
		return nil
	}
	return os.Lchown(path, a.uid, a.gid)
}

// ownAll gives a whole tree to the account, its top last: whoever owns the top
// owns it all, and the usual case, nothing to change, costs nothing.
func (a account) ownAll(dir string) error {
	if os.Geteuid() != 0 || owner(dir) == a.uid {
		return nil
	}
	err := filepath.WalkDir(dir, func(path string, _ fs.DirEntry, err error) error {
		if err != nil || path == dir {
			return err
		}
		return os.Lchown(path, a.uid, a.gid)
	})
	if err != nil {
		return err
	}
	return os.Lchown(dir, a.uid, a.gid)
}

// chooseAccount decides who runs PostgreSQL and where its home is: home itself,
// or a directory in /var/tmp when nothing else works.
func chooseAccount(ctx context.Context, b Binaries, home string) (account, string, error) {
	if os.Geteuid() != 0 {
		return account{uid: os.Geteuid(), gid: os.Getegid(), apply: func(*syscall.SysProcAttr) {}}, home, nil
	}
	return chooseAmong(ctx, b, home, candidates(home), namespaceAccounts())
}

// chooseAmong takes the first way that works for root.
func chooseAmong(ctx context.Context, b Binaries, home string, users, namespaces []account) (account, string, error) {
	var tried []error
	for _, a := range slices.Concat(users, namespaces) {
		if err := a.try(ctx, b, home); err != nil {
			tried = append(tried, fmt.Errorf("%s: %w", a.describe, err))
			continue
		}
		return a, home, nil
	}
	for _, a := range users {
		moved, err := elsewhere(home, a)
		if err == nil {
			err = a.try(ctx, b, moved)
		}
		if err == nil {
			a.describe += ", data in " + moved
			return a, moved, nil
		}
		tried = append(tried, fmt.Errorf("%s in /var/tmp: %w", a.describe, err))
	}
	return account{}, "", fmt.Errorf("PostgreSQL refuses to run as root, and no other way works here: %w", errors.Join(tried...))
}

// try runs a harmless command the way the server would run.
func (a account) try(ctx context.Context, b Binaries, dir string) error {
	cmd := exec.CommandContext(ctx, b.path("postgres"), "-V")
	cmd.Dir = dir
	a.adopt(cmd)
	return cmd.Run()
}

// adopt makes a command run as the account.
func (a account) adopt(cmd *exec.Cmd) {
	if cmd.SysProcAttr == nil {
		cmd.SysProcAttr = &syscall.SysProcAttr{}
	}
	a.apply(cmd.SysProcAttr)
}

// candidates lists the users that root can become, best first.
func candidates(dir string) []account {
	var out []account
	if u, err := user.LookupId(strconv.Itoa(owner(dir))); err == nil && u.Uid != "0" {
		out = append(out, userAccount(u))
	}
	for _, name := range []string{"postgres", "nobody"} {
		if u, err := user.Lookup(name); err == nil {
			out = append(out, userAccount(u))
		}
	}
	return out
}

// userAccount runs children as u.
func userAccount(u *user.User) account {
	uid, _ := strconv.Atoi(u.Uid) // numbers on every system that has SysProcAttr.Credential
	gid, _ := strconv.Atoi(u.Gid)
	return account{
		uid: uid, gid: gid, describe: "as user " + u.Username,
		apply: func(attr *syscall.SysProcAttr) {
			attr.Credential = &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}
		},
	}
}

// elsewhere makes the stand-in for home in /var/tmp. Its name is known to all,
// so a directory that somebody else put there is refused.
func elsewhere(home string, a account) (string, error) {
	dir := Elsewhere(home)
	if err := os.Mkdir(dir, 0o755); err != nil && !errors.Is(err, fs.ErrExist) {
		return "", err
	}
	info, err := os.Lstat(dir)
	if err != nil {
		return "", err
	}
	if uid := owner(dir); !info.IsDir() || (uid != 0 && uid != a.uid) {
		return "", fmt.Errorf("%s belongs to somebody else", dir)
	}
	return dir, nil
}

// elsewherePrefix begins the names of stand-ins.
const elsewherePrefix = "/var/tmp/insula-"

// Elsewhere names the directory in /var/tmp that replaces home when root can
// not let another user into home. It may not exist; whoever removes home
// removes it too.
func Elsewhere(home string) string {
	if abs, err := filepath.Abs(home); err == nil {
		home = abs
	}
	sum := sha256.Sum256([]byte(home))
	return elsewherePrefix + hex.EncodeToString(sum[:8])
}

// owner returns the user id that owns path, or root's when that is unknown.
func owner(path string) int {
	info, err := os.Lstat(path)
	if err != nil {
		return 0
	}
	if st, ok := info.Sys().(*syscall.Stat_t); ok {
		return int(st.Uid)
	}
	return 0
}
