package migrate_test

import (
	"testing"

	"github.com/insulahq/insula/platform/pgtest"
)

func TestMain(m *testing.M) { pgtest.Main(m) }
