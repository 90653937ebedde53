package e2e_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// TestTourOfTheREADME runs the commands of the README as they are printed.
func TestTourOfTheREADME(t *testing.T) {
	for _, program := range []string{"bash", "curl", "sed"} {
		if _, err := exec.LookPath(program); err != nil {
			t.Skipf("the tour is written for a shell with %s, which is not here", program)
		}
	}
	root, err := repository()
	if err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(filepath.Join(root, "README.md"))
	if err != nil {
		t.Fatal(err)
	}
	var script strings.Builder
	for _, block := range regexp.MustCompile("(?s)```sh\n(.*?)```").FindAllStringSubmatch(string(text), -1) {
		script.WriteString(block[1])
	}
	out := string(runTour(t, houseOf(t), script.String()))
	for _, want := range []string{
		`"email":"grace@acme.example"`, "201 Created", `"code":"tenant_mismatch"`, `"outcome":"denied"`,
		`"pointer":"#/name","detail":"is required"`, `"status":"ready"`, "\nhello\n", `"slug":"initech"`, `"status":"active"`,
	} {
		if !strings.Contains(out, want) {
			t.Errorf("the tour does not show %s", want)
		}
	}
	if t.Failed() {
		t.Log(out)
	}
}

// runTour gives the script a directory in which .bin/dev is, as in a checkout.
func runTour(t *testing.T, s *stack, script string) []byte {
	t.Helper()
	dev, err := binary("dev")
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	if err := os.Mkdir(filepath.Join(dir, ".bin"), 0o755); err != nil {
		t.Fatal(err)
	}
	root, err := repository()
	if err != nil {
		t.Fatal(err)
	}
	for name, to := range map[string]string{filepath.Join(".bin", "dev"): dev, "cmd": filepath.Join(root, "cmd")} {
		if err := os.Symlink(to, filepath.Join(dir, name)); err != nil {
			t.Fatal(err)
		}
	}
	cmd := exec.CommandContext(t.Context(), "bash", "-eu", "-c", script)
	cmd.Dir, cmd.Env = dir, append(cleanEnvironment(), "INSULA_DATA_DIR="+s.dir)
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("the tour ends with %v:\n%s", err, out)
	}
	return out
}
