package archtest_test

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// ours recognises a quoted path into the repository. Placeholders such as modules/<m> are not paths.
var (
	ours = regexp.MustCompile("`((?:cmd|docs|modules|platform|schema|scripts|sql|wire_gen)/[\\w./-]*)`")
	link = regexp.MustCompile(`\]\(([^)#:]+)\)`)
)

// TestMapNamesWhatExists: every file that the documents for developers send a reader to is there.
func TestMapNamesWhatExists(t *testing.T) {
	decisions, err := filepath.Glob("../../docs/adr/*.md")
	if err != nil {
		t.Fatal(err)
	}
	checked := 0
	for _, doc := range append(decisions, "../../docs/architecture.md", "../../CONTRIBUTING.md") {
		text, err := os.ReadFile(doc)
		if err != nil {
			t.Fatal(err)
		}
		var targets []string
		for _, m := range ours.FindAllStringSubmatch(string(text), -1) {
			targets = append(targets, filepath.Join("../..", m[1]))
		}
		for _, m := range link.FindAllStringSubmatch(string(text), -1) {
			targets = append(targets, filepath.Join(filepath.Dir(doc), m[1]))
		}
		checked += len(targets)
		for _, target := range targets {
			if _, err := os.Stat(target); err != nil {
				t.Errorf("%s sends its reader to %s, which is not there", strings.TrimPrefix(doc, "../../"), target)
			}
		}
	}
	if checked == 0 {
		t.Error("no document names a path: the test has lost sight of them")
	}
}

// TestEveryDecisionIsIndexed keeps the table of decisions complete.
func TestEveryDecisionIsIndexed(t *testing.T) {
	index, err := os.ReadFile("../../docs/adr/README.md")
	if err != nil {
		t.Fatal(err)
	}
	pages, err := filepath.Glob("../../docs/adr/0*.md")
	if err != nil || len(pages) == 0 {
		t.Fatalf("found %d decisions, %v", len(pages), err)
	}
	for _, page := range pages {
		if name := filepath.Base(page); !strings.Contains(string(index), "]("+name+")") {
			t.Errorf("docs/adr/README.md does not list %s", name)
		}
	}
}
