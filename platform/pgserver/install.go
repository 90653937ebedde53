package pgserver

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
)

// noMainCluster keeps Debian's package from making and starting a server of
// its own: only the programs are wanted.
const (
	noMainClusterFile = "/etc/postgresql-common/createcluster.d/insula.conf"
	noMainClusterDir  = "/etc/postgresql-common/createcluster.d"
	noMainClusterText = "create_main_cluster = false\n"
)

// Install makes sure that a usable PostgreSQL is there. If none is, and the
// process is root on a machine with apt-get, it prints each command to w and
// runs it; everywhere else it fails with the *NotFoundError of Find, whose text
// holds the install lines.
func Install(ctx context.Context, w io.Writer) (Binaries, error) {
	b, err := Find(ctx)
	var missing *NotFoundError
	if err == nil || !errors.As(err, &missing) || os.Getenv(BinEnv) != "" {
		return b, err
	}
	apt, aptErr := exec.LookPath("apt-get")
	if os.Geteuid() != 0 || aptErr != nil {
		return b, err
	}
	if err := aptInstall(ctx, w, apt); err != nil {
		return b, fmt.Errorf("install PostgreSQL: %w\n%s", err, installHelp)
	}
	return Find(ctx)
}

// aptInstall installs the distribution's default version.
func aptInstall(ctx context.Context, w io.Writer, apt string) error {
	if err := os.MkdirAll(noMainClusterDir, 0o755); err != nil {
		return fmt.Errorf("keep the package from starting a server: %w", err)
	}
	if err := os.WriteFile(noMainClusterFile, []byte(noMainClusterText), 0o644); err != nil {
		return fmt.Errorf("keep the package from starting a server: %w", err)
	}
	// The machine's owner may later want a server of the usual kind.
	defer func() {
		os.Remove(noMainClusterFile)
		os.Remove(noMainClusterDir) // stays when the package or somebody else keeps files there
	}()
	for _, args := range [][]string{
		{"update"},
		{"install", "-y", "--no-install-recommends", "postgresql"},
	} {
		fmt.Fprintf(w, "PostgreSQL is missing; running: apt-get %s\n", strings.Join(args, " "))
		cmd := exec.CommandContext(ctx, apt, args...)
		cmd.Env = append(os.Environ(), "DEBIAN_FRONTEND=noninteractive")
		cmd.Stdout, cmd.Stderr = w, w
		if err := cmd.Run(); err != nil {
			return fmt.Errorf("apt-get %s: %w", args[0], err)
		}
	}
	return nil
}
