package wiregen_test

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

var (
	namedTest = regexp.MustCompile("`([\\w./-]+_test\\.go):((?:Test|Fuzz)\\w+)`")
	missing   = regexp.MustCompile(`(?i)\bnot yet\b`)
)

// TestTheSecurityBarIsProved: every test, or fuzz test, that docs/security.md names exists,
// and no line goes without proof or a plain "not yet".
func TestTheSecurityBarIsProved(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile(filepath.FromSlash("../docs/security.md"))
	if err != nil {
		t.Fatal(err)
	}
	proofs := 0
	for line := range strings.Lines(string(text)) {
		cells := strings.Split(line, "|")
		if len(cells) < 5 || strings.HasPrefix(cells[1], "---") || strings.TrimSpace(cells[1]) == "line" {
			continue // no line of a table
		}
		proof := cells[len(cells)-2]
		named := namedTest.FindAllStringSubmatch(proof, -1)
		if strings.Count(proof, "`") != 2*len(named) {
			t.Errorf("a proof that is no `file_test.go:TestName` or FuzzName: %s", proof)
		}
		if len(named) == 0 && !missing.MatchString(proof) {
			t.Errorf("neither a proof nor what is missing: %s", line)
		}
		for _, m := range named {
			proofs++
			if !declares(t, m[1], m[2]) {
				t.Errorf("docs/security.md names %s in %s, which has no such test", m[2], m[1])
			}
		}
	}
	if proofs < 50 {
		t.Errorf("%d proofs found: the test has lost sight of the tables", proofs)
	}
}

// declares reports whether a file, named from the top of the repository, has
// this test.
func declares(t *testing.T, file, test string) bool {
	t.Helper()
	source, err := os.ReadFile(filepath.Join("..", filepath.FromSlash(file)))
	if err != nil {
		t.Error(err)
		return false
	}
	argument := "(t *testing.T) {"
	if strings.HasPrefix(test, "Fuzz") {
		argument = "(f *testing.F) {"
	}
	return strings.Contains(string(source), "\nfunc "+test+argument)
}
