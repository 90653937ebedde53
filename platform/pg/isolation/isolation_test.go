package isolation_test

import (
	"os"
	"strconv"
	"strings"
	"testing"

	"github.com/insulahq/insula/platform/pg"
	"github.com/insulahq/insula/platform/pg/isolation"
	"github.com/insulahq/insula/platform/pgtest"
)

func TestMain(m *testing.M) { pgtest.Main(m) }

// requests is how many are mixed: 20,000, or what INSULA_TEST_ISOLATION says
// (1000000 in the long suite).
func requests(t *testing.T) int {
	t.Helper()
	text := os.Getenv("INSULA_TEST_ISOLATION")
	if text == "" {
		return 20_000
	}
	n, err := strconv.Atoi(text)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func check(t *testing.T, o pg.Options, conns int32, n int) {
	t.Helper()
	migrator := pgtest.Database(t).Migrator.WithRoles(o.Roles)
	o.MaxConns = conns
	pool, err := pg.Open(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	defer pool.Close()
	r, err := isolation.Check(t.Context(), isolation.Options{
		Pool: pool, Migrator: migrator, Requests: n, Callers: 16, Seed: 1,
	})
	if err != nil {
		t.Fatal(err)
	}
	var out strings.Builder
	if err := r.Print(&out); err != nil {
		t.Fatal(err)
	}
	t.Log(strings.TrimSpace(out.String()))
	if len(r.Crossed) > 0 {
		t.Error("the wall leaks")
	}
	if r.Failed == 0 || r.Broken == 0 || r.Failed+r.Broken > r.Requests/2 {
		t.Error("the mix was not one: too little, or too much of it failed")
	}
}

func TestNoRowCrossesOverOneBackend(t *testing.T) {
	check(t, pg.Options{URL: pgtest.Database(t).AppURL}, 1, requests(t))
}

// Without roles of the tenants' own nothing but the search_path keeps them apart.
func TestNoRowCrossesInOneRole(t *testing.T) {
	check(t, pg.Options{URL: pgtest.Database(t).AppURL, Roles: pg.OneRole}, 1, requests(t))
}

func TestNoRowCrossesOverFewBackends(t *testing.T) {
	check(t, pg.Options{URL: pgtest.Database(t).AppURL}, 4, requests(t)/4)
}
