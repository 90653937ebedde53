package pgserver

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"

	"github.com/insulahq/insula/platform/pgserver/child"
)

// superuser is the role that initdb makes.
const superuser = "postgres"

// MajorError says that a data directory was made by another major version of
// PostgreSQL than the one installed.
type MajorError struct {
	// Dir is the data directory.
	Dir string
	// Data and Installed are major versions.
	Data, Installed int
}

// Error names both versions and the ways out.
func (e *MajorError) Error() string {
	return fmt.Sprintf("%s was made by PostgreSQL %d, but PostgreSQL %d is installed: name the directory of PostgreSQL %d's programs in %s, or remove the data (make reset-data)",
		e.Dir, e.Data, e.Installed, e.Data, BinEnv)
}

// cluster is a data directory and the means to make it.
type cluster struct {
	bin     Binaries
	account account
	home    string // holds data, the log and the lock
	profile Profile
}

// data is where PostgreSQL keeps everything.
func (c cluster) data() string { return filepath.Join(c.home, "data") }

// discard removes the data, and the stand-in for the home if there is one.
func (c cluster) discard() error {
	if strings.HasPrefix(c.home, elsewherePrefix) {
		return os.RemoveAll(c.home)
	}
	return os.RemoveAll(c.data())
}

// dataMajor reads the major version that made dir: 0 when there is no data.
func dataMajor(dir string) (int, error) {
	text, err := os.ReadFile(filepath.Join(dir, "PG_VERSION"))
	if errors.Is(err, fs.ErrNotExist) {
		entries, err := os.ReadDir(dir)
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return 0, err
		}
		if len(entries) > 0 {
			return 0, fmt.Errorf("%s holds files but no PostgreSQL data: move them away or remove the directory", dir)
		}
		return 0, nil
	}
	if err != nil {
		return 0, err
	}
	major, err := strconv.Atoi(strings.TrimSpace(string(text)))
	if err != nil {
		return 0, fmt.Errorf("%s/PG_VERSION is unreadable: %w", dir, err)
	}
	return major, nil
}

// initdb makes the data directory under another name and renames it, so that an
// interrupted run leaves nothing that looks finished.
func (c cluster) initdb(ctx context.Context, password string) error {
	tmp := c.data() + ".tmp"
	if err := os.RemoveAll(tmp); err != nil {
		return fmt.Errorf("remove the leftovers of an interrupted initdb: %w", err)
	}
	if err := os.Mkdir(tmp, 0o700); err != nil {
		return err
	}
	if err := c.account.own(tmp); err != nil {
		return err
	}
	pwfile, err := c.passwordFile(password)
	if err != nil {
		return err
	}
	defer os.Remove(pwfile)
	cmd := exec.CommandContext(ctx, c.bin.path("initdb"), append(c.initArgs(), "-D", tmp, "--pwfile", pwfile)...)
	cmd.Dir, cmd.Env = c.home, environment(c.home)
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	c.account.adopt(cmd)
	p, err := child.Start(cmd, syscall.SIGKILL)
	if err != nil {
		return fmt.Errorf("start initdb: %w", err)
	}
	<-p.Done()
	if err := p.Err(); err != nil {
		return fmt.Errorf("initdb: %w\n%s", err, strings.TrimSpace(out.String()))
	}
	return c.install(tmp)
}

// install gives a finished data directory its name.
func (c cluster) install(tmp string) error {
	// An empty directory may stand there; Remove leaves a full one alone.
	if err := os.Remove(c.data()); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return os.Rename(tmp, c.data())
}

// initArgs are the choices that stay with a data directory for life. The C
// locale makes text sort the same on every machine.
func (c cluster) initArgs() []string {
	args := []string{"-U", superuser, "--auth=scram-sha-256", "--locale=C", "-E", "UTF8"}
	if c.profile == Throwaway {
		return append(args, "--no-sync")
	}
	return append(args, "--data-checksums")
}

// passwordFile hands the password to initdb: arguments would show it to every
// user of the machine, and an inherited descriptor cannot be reopened by
// another user.
func (c cluster) passwordFile(password string) (string, error) {
	f, err := os.CreateTemp(c.home, "pw")
	if err != nil {
		return "", err
	}
	_, err = f.WriteString(password + "\n")
	if err = errors.Join(err, c.account.own(f.Name()), f.Close()); err != nil {
		os.Remove(f.Name())
		return "", fmt.Errorf("hand over the password: %w", err)
	}
	return f.Name(), nil
}

// environment is all that a PostgreSQL program gets to see: no PG* variable of
// the caller may change what the server does.
func environment(home string) []string {
	return []string{"PATH=" + os.Getenv("PATH"), "HOME=" + home, "LC_ALL=C", "TZ=UTC"}
}

// key names everything that makes two fresh data directories interchangeable.
func (c cluster) key() string {
	sum := sha256.Sum256([]byte(c.bin.Dir + "\n" + c.bin.Version + "\n" + strings.Join(c.initArgs(), " ")))
	return fmt.Sprintf("initdb-%d-%s", c.bin.Major, hex.EncodeToString(sum[:6]))
}
