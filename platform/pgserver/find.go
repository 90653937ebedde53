package pgserver

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// MinMajor is the oldest major version of PostgreSQL that Insula supports.
const MinMajor = 15

// BinEnv names the environment variable that decides, when set, which
// directory of PostgreSQL programs is used.
const BinEnv = "INSULA_PG_BIN"

// Binaries is one installed PostgreSQL.
type Binaries struct {
	// Dir holds at least postgres and initdb.
	Dir string
	// Version is what `postgres -V` says, for people.
	Version string
	// Major is the major version: 15 for 15.18.
	Major int
}

// path returns the file of one program.
func (b Binaries) path(program string) string { return filepath.Join(b.Dir, program) }

// NotFoundError says that no usable PostgreSQL is installed, where it was
// looked for, and how to get one.
type NotFoundError struct {
	// Looked lists the places in order, each with what was wrong there.
	Looked []string
}

// Error names the places and the install lines.
func (e *NotFoundError) Error() string {
	return fmt.Sprintf("PostgreSQL %d or newer not found. Looked in:\n  %s\n%s", MinMajor, strings.Join(e.Looked, "\n  "), installHelp)
}

const installHelp = `Install it:
  Debian, Ubuntu: sudo apt-get install postgresql
  Fedora:         sudo dnf install postgresql-server postgresql-contrib
  macOS:          brew install postgresql@17
or name the directory of its programs in ` + BinEnv + `, or set DATABASE_URL to a running server.`

// Find returns the PostgreSQL to use: the one named by INSULA_PG_BIN, else the
// first usable one of PATH, the distribution's directories, pg_config and the
// usual places of macOS. It fails with a *NotFoundError.
func Find(ctx context.Context) (Binaries, error) {
	return newFinder(ctx).first(func(Binaries) bool { return true })
}

// FindMajor is Find restricted to one major version, for a data directory that
// only that version can open.
func FindMajor(ctx context.Context, major int) (Binaries, error) {
	return newFinder(ctx).first(func(b Binaries) bool { return b.Major == major })
}

// place is a directory to look in, and why.
type place struct{ dir, why string }

// finder holds the parts of the machine that the search reads, so that tests
// can plant a machine.
type finder struct {
	explicit string
	places   []place
	inspect  func(dir string) (Binaries, error)
}

func newFinder(ctx context.Context) finder {
	return finder{
		explicit: os.Getenv(BinEnv),
		places:   places(ctx),
		inspect:  func(dir string) (Binaries, error) { return inspect(ctx, dir) },
	}
}

// first returns the first usable installation that suits. An explicit choice
// is never second-guessed: if it cannot be used, that is the error.
func (f finder) first(suits func(Binaries) bool) (Binaries, error) {
	list := f.places
	if f.explicit != "" {
		list = []place{{f.explicit, BinEnv}}
	}
	var looked []string
	for _, p := range list {
		b, err := f.inspect(p.dir)
		if err == nil && b.Major < MinMajor {
			err = fmt.Errorf("version %d is too old", b.Major)
		}
		if err == nil && !suits(b) {
			err = fmt.Errorf("version %d does not suit", b.Major)
		}
		if err == nil {
			return b, nil
		}
		looked = append(looked, fmt.Sprintf("%s (%s): %v", p.dir, p.why, err))
	}
	if f.explicit == "" {
		looked = append(looked, "PATH", "/usr/lib/postgresql/*/bin", "pg_config --bindir", "Homebrew and Postgres.app")
	}
	return Binaries{}, &NotFoundError{Looked: looked}
}

// places lists the directories that exist on this machine, best first.
func places(ctx context.Context) []place {
	var out []place
	if p, err := exec.LookPath("postgres"); err == nil {
		// A link in PATH leads to the installation; a wrapper script does not,
		// and inspect sees that no initdb lies beside it.
		if target, err := filepath.EvalSymlinks(p); err == nil {
			out = append(out, place{filepath.Dir(target), "postgres in PATH"})
		}
	}
	for _, d := range newestFirst("/usr/lib/postgresql/*/bin", "/usr/pgsql-*/bin") {
		out = append(out, place{d, "distribution"})
	}
	if d, err := exec.CommandContext(ctx, "pg_config", "--bindir").Output(); err == nil {
		out = append(out, place{strings.TrimSpace(string(d)), "pg_config --bindir"})
	}
	for _, d := range newestFirst(
		"/opt/homebrew/opt/postgresql@*/bin", "/usr/local/opt/postgresql@*/bin",
		"/home/linuxbrew/.linuxbrew/opt/postgresql@*/bin",
		"/Applications/Postgres.app/Contents/Versions/*/bin",
	) {
		out = append(out, place{d, "Homebrew or Postgres.app"})
	}
	return out
}

var number = regexp.MustCompile(`\d+`)

// newestFirst expands patterns and sorts by the last number in the path, the
// version: 9 sorts below 15, which a sort by text would get wrong.
func newestFirst(patterns ...string) []string {
	var out []string
	for _, p := range patterns {
		matches, _ := filepath.Glob(p) // the patterns are constants, so never malformed
		out = append(out, matches...)
	}
	version := func(path string) int {
		all := number.FindAllString(path, -1)
		if len(all) == 0 {
			return 0
		}
		n, _ := strconv.Atoi(all[len(all)-1])
		return n
	}
	slices.SortStableFunc(out, func(a, b string) int { return version(b) - version(a) })
	return out
}

var versionLine = regexp.MustCompile(`\(PostgreSQL\) (\d+)`)

// inspect asks the postgres in dir for its version and checks that initdb
// is there too.
func inspect(ctx context.Context, dir string) (Binaries, error) {
	for _, program := range []string{"postgres", "initdb"} {
		info, err := os.Stat(filepath.Join(dir, program))
		if err != nil || info.IsDir() || info.Mode()&0o111 == 0 {
			return Binaries{}, fmt.Errorf("no %s there", program)
		}
	}
	out, err := exec.CommandContext(ctx, filepath.Join(dir, "postgres"), "-V").Output()
	if err != nil {
		return Binaries{}, fmt.Errorf("postgres -V: %w", err)
	}
	line := strings.TrimSpace(string(out))
	m := versionLine.FindStringSubmatch(line)
	if m == nil {
		return Binaries{}, fmt.Errorf("postgres -V says %q", line)
	}
	major, err := strconv.Atoi(m[1])
	if err != nil {
		return Binaries{}, errors.New("unreadable version " + m[1])
	}
	return Binaries{Dir: dir, Version: strings.TrimPrefix(line, "postgres (PostgreSQL) "), Major: major}, nil
}

// library reports whether a loadable library is installed. PostgreSQL refuses
// to start when a preloaded library is missing.
func (b Binaries) library(ctx context.Context, name string) bool {
	dirs := []string{filepath.Join(b.Dir, "../lib"), filepath.Join(b.Dir, "../lib/postgresql")}
	if d, err := exec.CommandContext(ctx, b.path("pg_config"), "--pkglibdir").Output(); err == nil {
		dirs = append(dirs, strings.TrimSpace(string(d)))
	}
	for _, d := range dirs {
		for _, ext := range []string{".so", ".dylib"} {
			if _, err := os.Stat(filepath.Join(d, name+ext)); err == nil {
				return true
			}
		}
	}
	return false
}
