package main

import (
	"os"
	"strings"
	"testing"
)

func TestShellEnv(t *testing.T) {
	s := settings{data: t.TempDir()}
	var out strings.Builder
	if err := printShellEnv(s, &out); err == nil || !strings.Contains(err.Error(), "make run") {
		t.Fatalf("with nothing running: %v", err)
	}
	running := summary{
		API: "http://127.0.0.1:1", Operator: login{"operator", "ops@example.com", "it's secret"},
		Tenants: map[string]login{"acme": {"acme", "a@example.com", "pw"}},
	}
	if err := running.write(s.in("dev.json")); err != nil {
		t.Fatal(err)
	}
	if info, err := os.Stat(s.in("dev.json")); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("dev.json: %v, %v", info, err)
	}
	if err := printShellEnv(s, &out); err != nil {
		t.Fatal(err)
	}
	for _, line := range []string{"export API='http://127.0.0.1:1'", `export OPERATOR_PASSWORD='it'\''s secret'`, "export ACME_EMAIL='a@example.com'"} {
		if !strings.Contains(out.String(), line+"\n") {
			t.Errorf("missing %s in\n%s", line, &out)
		}
	}
}
