package fleet_test

import (
	"os"
	"testing"

	"github.com/insulahq/insula/platform/pgtest"
)

func TestMain(m *testing.M) {
	if url := os.Getenv(childEnv); url != "" {
		os.Exit(child(url))
	}
	pgtest.Main(m)
}
