package e2e_test

import (
	"maps"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/insulahq/insula/platform/pgtest"
)

// placed is a stack whose tenants are in two PostgreSQL servers of the test's
// own: the main placement, and another called east. What else it needs are the
// parts that the other tests have.
type placed struct {
	*stack
	servers map[string]*pgtest.Machine // by placement
}

// east is the other placement.
const east = "east"

func newPlaced(t *testing.T) placed {
	t.Helper()
	p := placed{servers: map[string]*pgtest.Machine{"main": pgtest.OwnMachine(t), east: pgtest.OwnMachine(t)}}
	of, there, s := p.servers["main"].DB, p.servers[east].DB, *partsOf(t)
	s.parts = maps.Clone(s.parts)
	s.parts["DATABASE_URL"], s.parts["INSULA_MIGRATOR_URL"] = of.AppURL.Reveal(), of.MigratorURL.Reveal()
	s.parts["INSULA_PLACEMENTS"] = east + " " + there.AppURL.Reveal() + " " + there.MigratorURL.Reveal()
	p.stack = &s
	s.insula(t, "migrate")
	return p
}

// look is a superuser's connection to a placement.
func (p placed) look(t *testing.T, placement string) *pgx.Conn {
	t.Helper()
	return lookInto(t, p.servers[placement].SuperuserURL)
}

// lose kills the PostgreSQL server of a placement and starts it again.
func (p placed) lose(t *testing.T, placement string) {
	t.Helper()
	p.servers[placement].Kill(t)
	p.servers[placement].Start(t)
}
