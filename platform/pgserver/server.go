package pgserver

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/insulahq/insula/platform/pgserver/child"
)

// Options says what Start shall start.
type Options struct {
	// Dir is the home of the server: data, log and lock. It is made if missing.
	Dir string
	// Profile is Durable unless set.
	Profile Profile
	// Port is the wanted port on 127.0.0.1. A busy one gives way to the next
	// free one; zero takes any.
	Port int
	// Password is the superuser's. A Durable server keeps the one of its first
	// start. Empty: a Throwaway server makes one up, a Durable one refuses.
	Password string
	// Bin is the PostgreSQL to use; the zero value means that of Find, or one
	// of the major version that made the data.
	Bin Binaries
	// CacheDir keeps fresh data directories for Throwaway servers. Empty means
	// the user's cache directory.
	CacheDir string
	// Progress receives one line for each step that a person may want to see.
	Progress func(string)
}

// Server is a running PostgreSQL.
type Server struct {
	bin      Binaries
	cluster  cluster
	port     int
	password string
	logPath  string
	lock     *os.File
	process  *child.Process
	asked    atomic.Bool // Stop was called while the server ran
}

// Start brings a server up and returns once it answers queries. It fails with a
// *NotFoundError, a *MajorError or ErrInUse where these apply, and otherwise
// quotes the end of the server's log.
func Start(ctx context.Context, o Options) (*Server, error) {
	if o.Progress == nil {
		o.Progress = func(string) {}
	}
	if o.Password == "" && o.Profile == Throwaway {
		o.Password = rand.Text()
	}
	if o.Password == "" {
		return nil, errors.New("pgserver: a durable server needs a password")
	}
	home, err := filepath.Abs(o.Dir)
	if err == nil {
		// The server reports its directory without links, and so must we.
		err = os.MkdirAll(home, 0o755)
	}
	if err == nil {
		home, err = filepath.EvalSymlinks(home)
	}
	if err != nil {
		return nil, fmt.Errorf("make %s: %w", o.Dir, err)
	}
	held, err := lock(home)
	if err != nil {
		return nil, err
	}
	s := &Server{lock: held, password: o.Password, logPath: filepath.Join(home, "postgres.log")}
	if err := s.start(ctx, o, home); err != nil {
		held.Close()
		return nil, err
	}
	return s, nil
}

// start runs with the lock held.
func (s *Server) start(ctx context.Context, o Options, home string) error {
	if err := s.prepare(ctx, o, home); err != nil {
		return err
	}
	port, err := freePort(o.Port)
	for try := 0; err == nil; try++ {
		if port != o.Port && o.Port != 0 {
			o.Progress(fmt.Sprintf("port %d is busy, PostgreSQL takes %d", o.Port, port))
		}
		s.port = port
		err = s.launch(ctx, o.Progress)
		// Somebody may have taken the port since it was found free.
		if !errors.Is(err, errPortBusy) || try == 3 {
			break
		}
		port, err = freePort(o.Port)
	}
	if err != nil || o.Profile == Durable {
		return err
	}
	if err := s.setPassword(ctx); err != nil {
		return errors.Join(err, s.Stop(context.WithoutCancel(ctx)))
	}
	return nil
}

// prepare finds the programs, the account and the data.
func (s *Server) prepare(ctx context.Context, o Options, home string) error {
	var err error
	if s.bin = o.Bin; s.bin.Dir == "" {
		if s.bin, err = Find(ctx); err != nil {
			return err
		}
	}
	s.cluster = cluster{bin: s.bin, profile: o.Profile}
	s.cluster.account, s.cluster.home, err = chooseAccount(ctx, s.bin, home)
	if err != nil {
		return err
	}
	o.Progress(strings.Join(strings.Fields("PostgreSQL "+s.bin.Version+" from "+s.bin.Dir+" "+s.cluster.account.describe), " "))
	if err := s.cluster.clearPidFile(ctx, o.Progress); err != nil {
		return err
	}
	if o.Profile == Throwaway {
		return s.cluster.fresh(ctx, cacheDir(o.CacheDir), o.Progress)
	}
	return s.prepareData(ctx, o)
}

// prepareData makes the data of a durable server, or takes what is there.
func (s *Server) prepareData(ctx context.Context, o Options) error {
	major, err := dataMajor(s.cluster.data())
	if err != nil {
		return err
	}
	if major == 0 {
		o.Progress("making a new data directory in " + s.cluster.data())
		return s.cluster.initdb(ctx, o.Password)
	}
	if major != s.bin.Major {
		mismatch := &MajorError{Dir: s.cluster.data(), Data: major, Installed: s.bin.Major}
		if o.Bin.Dir != "" {
			return mismatch
		}
		if s.bin, err = FindMajor(ctx, major); err != nil {
			return mismatch
		}
		s.cluster.bin = s.bin
		o.Progress("the data wants PostgreSQL " + s.bin.Version + " from " + s.bin.Dir)
	}
	if err := s.cluster.account.ownAll(s.cluster.data()); err != nil {
		return fmt.Errorf("give the data directory to its user: %w", err)
	}
	return nil
}

// cacheDir returns dir, or the user's cache directory, or nothing when the user
// has none.
func cacheDir(dir string) string {
	if dir != "" {
		return dir
	}
	base, err := os.UserCacheDir()
	if err != nil {
		return ""
	}
	return filepath.Join(base, "insula", "postgres")
}

// launch starts the server on s.port and waits until it answers.
func (s *Server) launch(ctx context.Context, say func(string)) error {
	log, err := openLog(s.logPath)
	if err != nil {
		return fmt.Errorf("open the log: %w", err)
	}
	defer log.Close() // the child has its own descriptor
	offset := int64(0)
	if info, err := log.Stat(); err == nil {
		offset = info.Size()
	}
	cmd := exec.Command(s.bin.path("postgres"), s.cluster.arguments(ctx, s.port)...)
	cmd.Dir, cmd.Env = s.cluster.home, environment(s.cluster.home)
	cmd.Stdout, cmd.Stderr = log, log
	s.cluster.account.adopt(cmd)
	if s.process, err = child.Start(cmd, s.cluster.profile.stopSignal()); err != nil {
		return fmt.Errorf("start PostgreSQL: %w", err)
	}
	if err := s.await(ctx, say); err != nil {
		s.process.Kill()
		text := tail(s.logPath, offset)
		if strings.Contains(text, "could not create any TCP/IP sockets") {
			return errPortBusy
		}
		return fmt.Errorf("%w\nThe end of %s:\n%s", err, s.logPath, text)
	}
	return nil
}

// errPortBusy says that somebody else took the port in the last moment.
var errPortBusy = errors.New("the port is busy")

// URL returns the address of a database for the superuser.
func (s *Server) URL(database string) string { return s.url(database, s.password) }

func (s *Server) url(database, password string) string {
	u := url.URL{
		Scheme: "postgres", User: url.UserPassword(superuser, password),
		Host: net.JoinHostPort("127.0.0.1", strconv.Itoa(s.port)), Path: "/" + database,
		RawQuery: "sslmode=disable",
	}
	return u.String()
}

// Port returns the port the server listens on, on 127.0.0.1.
func (s *Server) Port() int { return s.port }

// PID is the process of the server, the parent of its others.
func (s *Server) PID() int { return s.process.PID() }

// Binaries returns the PostgreSQL that runs.
func (s *Server) Binaries() Binaries { return s.bin }

// LogPath returns the file that the server logs to.
func (s *Server) LogPath() string { return s.logPath }

// Done is closed when the server has ended, whoever ended it.
func (s *Server) Done() <-chan struct{} { return s.process.Done() }

// Err says why the server ended, once Done is closed: nil after a stop that was
// asked for. (A throw-away server that is told to drop everything exits as if
// it had failed.)
func (s *Server) Err() error {
	if !s.process.Ended() || s.cluster.profile == Throwaway && s.asked.Load() {
		return nil
	}
	return s.process.Err()
}

// stopSignal is how a server of this profile is asked to end. SIGINT ends
// sessions and writes everything down; SIGTERM would wait for idle clients.
// SIGQUIT writes nothing down, which is right where the data is thrown away.
func (p Profile) stopSignal() syscall.Signal {
	if p == Throwaway {
		return syscall.SIGQUIT
	}
	return syscall.SIGINT
}

// stopLimit is how long a server may take to write everything down and end.
const stopLimit = time.Minute

// Stop ends the server and waits for it. When ctx ends first, or a minute is
// over, the server is killed and Stop says so; a durable one then recovers at its
// next start. Stop may be called again, and after the server ended by itself.
func (s *Server) Stop(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, stopLimit)
	defer cancel()
	if !s.process.Ended() {
		s.asked.Store(true)
	}
	err := s.process.Stop(ctx, s.cluster.profile.stopSignal())
	if err != nil {
		err = fmt.Errorf("stop PostgreSQL: %w", err)
	}
	if s.cluster.profile == Throwaway {
		err = errors.Join(err, s.cluster.discard())
	}
	_ = s.lock.Close() // closing twice is what the second Stop does
	return err
}
