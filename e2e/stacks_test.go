package e2e_test

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestTwoStacks runs a second stack beside the first, refuses a third on the
// second's data, stops it and starts it again.
func TestTwoStacks(t *testing.T) {
	house := houseOf(t)
	second, err := startStack("second", "run")
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range []*stack{house, second} {
		for slug, l := range s.summary.Tenants {
			c := client{api: s.summary.API, tenant: slug}
			c = c.as(c.login(t, l.Email, l.Password))
			if users := all[user](t, c, "/v1/users"); len(users) < 3 {
				t.Errorf("%s of %s has %d users", slug, s.name, len(users))
			}
			if files := idsIn(t, c, "/v1/files"); len(files) != 1 {
				t.Errorf("%s of %s has %d files", slug, s.name, len(files))
			}
		}
	}
	if house.summary.Operator.Password == second.summary.Operator.Password {
		t.Error("two stacks have the same secrets")
	}
	second.refusesAnother(t)
	second.keepsSecrets(t)

	cold := second.took
	if err := second.stop(); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"dev.json", "dev.env"} {
		if _, err := os.Stat(filepath.Join(second.dir, name)); err == nil {
			t.Errorf("%s misleads scripts after the end", name)
		}
	}
	if err := second.start(); err != nil {
		t.Fatal(err)
	}
	t.Logf("a cold start takes %.1f s, a warm one %.1f s", cold.Seconds(), second.took.Seconds())
	acme := second.summary.Tenants["acme"]
	c := client{api: second.summary.API, tenant: acme.Slug}
	c = c.as(c.login(t, acme.Email, acme.Password))
	if files := idsIn(t, c, "/v1/files"); len(files) != 1 {
		t.Errorf("after a warm start there are %d files", len(files))
	}
	if err := second.stop(); err != nil {
		t.Fatal(err)
	}
}

// refusesAnother starts a stack on the same data, which must say who has it.
func (s *stack) refusesAnother(t *testing.T) {
	t.Helper()
	cmd, err := s.command("run")
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.CombinedOutput()
	if err == nil || !strings.Contains(string(out), fmt.Sprintf("process %d", s.proc.PID())) || !strings.Contains(string(out), s.dir) {
		t.Errorf("a second start on the same data ends with %v and says %s", err, out)
	}
	if err := answers(s.summary.API + "/readyz"); err != nil {
		t.Errorf("the first stack after a second start on its data: %v", err)
	}
}

// keepsSecrets looks at the permissions of what holds secrets.
func (s *stack) keepsSecrets(t *testing.T) {
	t.Helper()
	for _, name := range []string{"dev.json", "secrets.env"} {
		info, err := os.Stat(filepath.Join(s.dir, name))
		if err != nil {
			t.Fatal(err)
		}
		if info.Mode().Perm() != fs.FileMode(0o600) {
			t.Errorf("%s has mode %s", name, info.Mode())
		}
	}
}
