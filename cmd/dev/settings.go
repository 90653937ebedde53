package main

import (
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strconv"
)

// settings is what the environment says about a stack.
type settings struct {
	root string // the repository
	data string // state of this stack, absolute

	http, admin, mail address
	pg, s3, redis     address
	smtp              address

	// given holds the parts that stand elsewhere: their variables are already
	// in the environment and no embedded part is started.
	given struct{ database, redis, s3, mail bool }
}

// address is where a part listens. Only an address that nobody chose may step
// aside when it is busy.
type address struct {
	host   string
	port   int
	chosen bool
	name   string // the variable that sets it
}

func (a address) String() string { return net.JoinHostPort(a.host, strconv.Itoa(a.port)) }

// local is the URL under which this machine reaches the address: one that
// listens everywhere has no name to call it by.
func (a address) local() string {
	if ip := net.ParseIP(a.host); a.host == "" || ip != nil && ip.IsUnspecified() {
		a.host = "127.0.0.1"
	}
	return "http://" + a.String()
}

// lookup is os.LookupEnv, or a test's stand-in.
type lookup func(string) (string, bool)

// readSettings reads the environment and finds the repository.
func readSettings(env lookup) (settings, error) {
	var s settings
	var err error
	if s.root, err = repository(); err != nil {
		return s, err
	}
	s.data = filepath.Join(s.root, ".data")
	if dir, ok := env("INSULA_DATA_DIR"); ok && dir != "" {
		if s.data, err = filepath.Abs(dir); err != nil {
			return s, fmt.Errorf("INSULA_DATA_DIR: %w", err)
		}
	}
	for _, a := range []struct {
		to      *address
		name    string
		port    int
		hasHost bool
	}{
		{&s.http, "INSULA_HTTP_ADDR", 8080, true},
		{&s.admin, "INSULA_ADMIN_ADDR", 9090, true},
		{&s.mail, "INSULA_DEV_MAIL_ADDR", 8025, true},
		{&s.smtp, "INSULA_DEV_SMTP_PORT", 18025, false},
		{&s.pg, "INSULA_DEV_PG_PORT", 15432, false},
		{&s.s3, "INSULA_DEV_S3_PORT", 19000, false},
		{&s.redis, "INSULA_DEV_REDIS_PORT", 16379, false},
	} {
		if *a.to, err = readAddress(env, a.name, a.port, a.hasHost); err != nil {
			return s, err
		}
	}
	return s, s.readGiven(env)
}

// readAddress reads host:port or a bare port on 127.0.0.1.
func readAddress(env lookup, name string, port int, hasHost bool) (address, error) {
	a := address{host: "127.0.0.1", port: port, name: name}
	text, ok := env(name)
	if !ok || text == "" {
		return a, nil
	}
	a.chosen = true
	var err error
	if hasHost {
		if a.host, text, err = net.SplitHostPort(text); err != nil {
			return a, fmt.Errorf("%s must be host:port: %w", name, err)
		}
	}
	if a.port, err = strconv.Atoi(text); err != nil || a.port < 1 || a.port > 65535 {
		return a, fmt.Errorf("%s must name a port from 1 to 65535", name)
	}
	return a, nil
}

// readGiven notes which parts stand elsewhere.
func (s *settings) readGiven(env lookup) error {
	set := func(name string) bool { v, ok := env(name); return ok && v != "" }
	s.given.database = set("DATABASE_URL")
	if s.given.database != set("INSULA_MIGRATOR_URL") {
		return errors.New("DATABASE_URL and INSULA_MIGRATOR_URL belong together: set both to use your own PostgreSQL, or none")
	}
	s.given.redis = set("REDIS_URL")
	s.given.s3 = set("S3_ENDPOINT")
	if s.given.s3 && !set("S3_BUCKET") {
		return errors.New("S3_ENDPOINT needs S3_BUCKET beside it, and usually S3_ACCESS_KEY and S3_SECRET_KEY")
	}
	s.given.mail = set("SMTP_URL")
	return nil
}

// in names a file or directory of this stack's state.
func (s settings) in(parts ...string) string {
	return filepath.Join(append([]string{s.data}, parts...)...)
}

// repository finds the directory of the main module, upwards from here.
func repository() (string, error) {
	dir, err := os.Getwd()
	if err != nil {
		return "", err
	}
	for {
		if _, err := os.Stat(filepath.Join(dir, "cmd", "devs3", "go.mod")); err == nil {
			return dir, nil
		}
		up := filepath.Dir(dir)
		if up == dir {
			return "", errors.New("run this inside a checkout of the repository")
		}
		dir = up
	}
}
