package e2e_test

import (
	"net/url"
	"strings"
	"testing"

	"github.com/insulahq/insula/platform/pgtest"
	"github.com/insulahq/insula/platform/secret"
)

// TestTheDoctorTriesTheWall runs the isolation check of the binary, directly and
// through a real pooler.
func TestTheDoctorTriesTheWall(t *testing.T) {
	s := partsOf(t)
	s.insula(t, "migrate")
	check := func(t *testing.T, args ...string) {
		t.Helper()
		said := string(s.insula(t, append([]string{"doctor", "isolation", "--requests", "2000"}, args...)...))
		if !strings.Contains(said, "2000 requests of two tenants") || !strings.Contains(said, " 0 rows crossed") {
			t.Errorf("it says %q", said)
		}
	}
	t.Run("directly", func(t *testing.T) { check(t) })
	t.Run("through a pooler", func(t *testing.T) {
		through := pgtest.Bouncer(t, secret.New(s.summary.DatabaseURL)).Reveal()
		if u, err := url.Parse(through); err != nil || strings.Contains(s.summary.DatabaseURL, u.Host) {
			t.Fatalf("no way round: %v", err)
		}
		check(t, "--pooler", through, "--connections", "4")
	})
}
