package archtest_test

import (
	"os"
	"testing"

	"github.com/insulahq/insula/platform/archtest"
)

// TestHouse checks the tree this package stands in.
func TestHouse(t *testing.T) {
	found, err := archtest.Check(os.DirFS("../.."), archtest.House())
	if err != nil {
		t.Fatal(err)
	}
	for _, v := range found {
		t.Error(v)
	}
}

// TestTreeWithoutModule: a wrong root must not pass for a house without faults.
func TestTreeWithoutModule(t *testing.T) {
	for _, dir := range []string{".", t.TempDir()} {
		if _, err := archtest.Check(os.DirFS(dir), archtest.House()); err == nil {
			t.Errorf("Check of %s, which has no go.mod, found nothing to complain about", dir)
		}
	}
}
