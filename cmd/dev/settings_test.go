package main

import (
	"net"
	"strconv"
	"strings"
	"testing"
	"time"
)

// env is a planted environment.
func env(values map[string]string) lookup {
	return func(name string) (string, bool) { v, ok := values[name]; return v, ok }
}

// silent is a progress whose lines can be read.
func silent() (*progress, *strings.Builder) {
	var out strings.Builder
	return newProgress(&out, false, func() time.Duration { return 0 }), &out
}

func TestSettingsFromTheEnvironment(t *testing.T) {
	s, err := readSettings(env(map[string]string{
		"INSULA_DATA_DIR": "/elsewhere", "INSULA_HTTP_ADDR": "0.0.0.0:81", "INSULA_DEV_PG_PORT": "5555",
		"REDIS_URL": "redis://x", "DATABASE_URL": "a", "INSULA_MIGRATOR_URL": "b",
	}))
	if err != nil {
		t.Fatal(err)
	}
	if s.data != "/elsewhere" || s.http.String() != "0.0.0.0:81" || s.http.local() != "http://127.0.0.1:81" {
		t.Errorf("settings = %+v", s)
	}
	if s.pg.String() != "127.0.0.1:5555" || !s.pg.chosen || s.s3.chosen {
		t.Errorf("ports = %+v, %+v", s.pg, s.s3)
	}
	if !s.given.redis || !s.given.database || s.given.s3 || s.given.mail {
		t.Errorf("given = %+v", s.given)
	}
}

func TestSettingsRefuse(t *testing.T) {
	for name, values := range map[string]map[string]string{
		"INSULA_DEV_S3_PORT":  {"INSULA_DEV_S3_PORT": "many"},
		"INSULA_HTTP_ADDR":    {"INSULA_HTTP_ADDR": "8080"},
		"INSULA_MIGRATOR_URL": {"DATABASE_URL": "only this one"},
		"S3_BUCKET":           {"S3_ENDPOINT": "http://s3"},
	} {
		if _, err := readSettings(env(values)); err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("%v: error = %v, want one that names %s", values, err, name)
		}
	}
}

func TestBusyPorts(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	busy := address{host: "127.0.0.1", port: l.Addr().(*net.TCPAddr).Port, name: "INSULA_X_PORT"}
	say, said := silent()
	got, err := claim(busy, "the part", say)
	if err != nil || got.port <= busy.port {
		t.Errorf("default port: %v, %v; want a later one", got, err)
	}
	if text := said.String(); !strings.Contains(text, strconv.Itoa(busy.port)) || !strings.Contains(text, "INSULA_X_PORT") {
		t.Errorf("said %q", text)
	}
	busy.chosen = true
	if _, err := claim(busy, "the part", say); err == nil {
		t.Error("a chosen port gave way")
	}
}

func TestServerEnvironment(t *testing.T) {
	var e environment
	e.set("REDIS_URL", "it's")
	e.setDefault(env(map[string]string{"INSULA_MAIL_FROM": "me"}), "INSULA_MAIL_FROM", "default")
	if got, want := e.lines(), "REDIS_URL='it'\\''s'\nINSULA_MAIL_FROM='me'\n"; got != want {
		t.Errorf("lines = %q, want %q", got, want)
	}
	got := strings.Join(e.serverEnvironment([]string{"PATH=/bin", "INSULA_LOG_LEVEL=debug", "INSULA_DATA_DIR=/x", "INSULA_DEV_PG_PORT=1", "REDIS_URL=old"}), " ")
	if want := "PATH=/bin INSULA_LOG_LEVEL=debug REDIS_URL=old REDIS_URL=it's INSULA_MAIL_FROM=me"; got != want {
		t.Errorf("environment = %q, want %q", got, want)
	}
}
