package isolation_test

import (
	"testing"

	"github.com/insulahq/insula/platform/pg"
	"github.com/insulahq/insula/platform/pgtest"
)

// TestNoRowCrossesThroughAPooler puts a real PgBouncer in front: every transaction
// of everybody runs on the same backend, and consecutive ones of one client need not.
func TestNoRowCrossesThroughAPooler(t *testing.T) {
	through := pgtest.Bouncer(t, pgtest.Database(t).AppURL)
	for name, roles := range map[string]pg.Roles{"a role per tenant": pg.RolePerTenant, "one role": pg.OneRole} {
		t.Run(name, func(t *testing.T) {
			check(t, pg.Options{URL: through, Pooled: true, Roles: roles}, 4, requests(t)/4)
		})
	}
}
